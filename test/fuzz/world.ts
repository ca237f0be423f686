import { readFileSync } from "node:fs";
import { join } from "node:path";
import { startWaypost, type Waypost } from "../node/harness.ts";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import type { Materials } from "./generate.ts";
import { operationsOf } from "./rest_requests.ts";

/** A started Waypost with a provider that costs money, and accounts that have some. */
export interface World {
  waypost: Waypost;
  upstream: UpstreamServer;
  port: number;
  /** Texts that no answer to anybody may hold. */
  secrets: string[];
  readOnly: ReadonlySet<string>;
  close(): Promise<number | null>;
}

const LIMIT = 1_000_000_000;
/** The day's limit is the tightest, so that its remainder counts every call. */
const PLANS = JSON.stringify({ fuzz: { minute: LIMIT, hour: LIMIT, day: LIMIT / 10, monthlyTokens: 0 } });
const PROVIDER_KEY = "sk-provider-secret-of-the-stand-in";

export async function startWorld(): Promise<World> {
  const upstream = await startUpstream();
  const model = { name: "echo", context: 20_000, max_output: 500 };
  const waypost = await startWaypost({
    vars: {
      PLANS,
      MODEL_PROVIDERS: JSON.stringify([
        { id: "paid", base_url: `${upstream.url}/v1`, api_key: PROVIDER_KEY, local: false, models: [model] },
      ]),
      MODEL_PRICES: JSON.stringify({ "paid/echo": { input: "3", output: "15" } }),
    },
  });
  const setup = readFileSync(join(waypost.state, "setup-token"), "utf8").trim();
  const { tools } = (await rpc(waypost.url, waypost.apiKey, "tools/list")) as Materials["offer"];
  const readOnly = (tools as unknown as { name: string; annotations?: { readOnlyHint?: boolean } }[])
    .filter(({ annotations }) => annotations?.readOnlyHint)
    .map(({ name }) => name);
  let closing: Promise<number | null> | undefined;
  const close = () => {
    closing ??= waypost.stop().finally(() => upstream.close());
    return closing;
  };
  const port = Number(new URL(waypost.url).port);
  return { waypost, upstream, port, secrets: [PROVIDER_KEY, setup], readOnly: new Set(readOnly), close };
}

/** What one caller has. */
export interface Caller {
  lane: number;
  account: string;
  key: string;
  materials: Materials;
}

/** An account with credit, a document, a session and a key; everything inputs can be about. */
export async function openCaller({ waypost, port }: World, lane: number): Promise<Caller> {
  const { url, apiKey: owner } = waypost;
  const account = await accountOf(waypost, lane);
  await rest(url, owner, "POST", `/v1/admin/accounts/${account}/credit`, {
    id: "start",
    nano_usd: 50_000_000_000,
    note: "start",
  });
  const scopes = ["chat", "usage", "sync", "search", "documents:write", "account", ...(lane === 0 ? ["admin"] : [])];
  const newKey = (name: string) => rest(url, owner, "POST", "/v1/keys", { account, name, scopes });
  const [own, spare, revoked] = [await newKey("own"), await newKey("spare"), await newKey("revoked")];
  const key: string = own.api_key;
  await rest(url, key, "DELETE", `/v1/keys/${revoked.id}`);
  const text = `Green tea is best at 80 °C. canary-${lane}-${account}`;
  const added = await rest(url, key, "POST", "/v1/documents", { documents: [{ title: "Tea", text }] });
  const session = `01HZZZZZZZZZZZZZZZZZZZZZ${String(lane).padStart(2, "0")}`;
  const push = [
    {
      kind: "session.create",
      id: `01HYYYYYYYYYYYYYYYYYYYYY${String(lane).padStart(2, "0")}`,
      session_id: session,
      title: "Tea",
    },
  ];
  await rest(url, key, "POST", "/v1/sync", { device_id: "setup", push });
  const documents = (added.documents ?? []).map(({ id }: { id: string }) => id);
  const spareAccount = await rest(url, owner, "POST", "/v1/admin/accounts", { name: "spare", plan: "fuzz" });
  const known = {
    id: [...documents, session, `${documents[0]}#0`],
    document_id: documents,
    session_id: [session, "none"],
    model: ["local/extractive", "local/extractive", "paid/echo", "auto"],
    device_id: ["setup", "d1"],
    key_id: [spare.id],
    account: [spareAccount.account],
    plan: ["fuzz", "free"],
    scopes: [["chat"], ["search", "usage"]],
    scope: ["chat", "search"],
    url: ["https://hooks.invalid/x", "http://127.0.0.1:1/"],
    budget_id: ["b1"],
    base_seq: [1, 2],
    kind: ["session.create", "session.update", "message.append", "session.delete"],
    month: ["2026-11", "2026-10"],
    tools: ["chat"],
    // No limit that would shut the lane itself out.
    limits: [null],
    nano_usd: [1_000_000_000],
  };
  const sessions = await sessionsOf(url, key);
  return {
    lane,
    account,
    key,
    materials: {
      offer: await offerOf(url, key),
      operations: operationsOf(await (await fetch(`${url}/openapi.json`)).json()).filter(
        ({ path }) => lane === 0 || !path.includes("/admin/"),
      ),
      known,
      own: { host: `127.0.0.1:${port}`, key, revoked: revoked.api_key, sessions },
    },
  };
}

/** The first lane is the operator's own account, so that an operator's routes are tried too. */
async function accountOf({ url, apiKey, account }: Waypost, lane: number): Promise<string> {
  if (lane > 0) {
    const made = await rest(url, apiKey, "POST", "/v1/admin/accounts", { name: `lane ${lane}`, plan: "fuzz" });
    return made.account;
  }
  await rest(url, apiKey, "POST", `/v1/admin/accounts/${account}/plan`, { plan: "fuzz" });
  return account;
}

/** The id of a session as a client of 2025 opens one; none when the server keeps none. */
async function sessionsOf(url: string, key: string): Promise<string[]> {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: { elicitation: {} },
    clientInfo: { name: "fuzz", version: "1" },
  };
  const response = await post(url, key, "initialize", params);
  await response.arrayBuffer();
  const id = response.headers.get("mcp-session-id");
  return id ? [id] : [];
}

async function offerOf(url: string, key: string): Promise<Materials["offer"]> {
  const list = async (method: string, member: string) =>
    ((await rpc(url, key, method).catch(() => null)) as Record<string, unknown[]> | null)?.[member] ?? [];
  const uris = (await list("resources/list", "resources")).map((each) => (each as { uri: string }).uri);
  const templates = (await list("resources/templates/list", "resourceTemplates")) as { uriTemplate: string }[];
  return {
    tools: (await list("tools/list", "tools")) as Materials["offer"]["tools"],
    prompts: (await list("prompts/list", "prompts")) as Materials["offer"]["prompts"],
    uris: [...uris, ...templates.map(({ uriTemplate }) => uriTemplate.replace(/\{.*\}/, "none")), "waypost://models"],
  };
}

const post = (url: string, key: string, method: string, params: object = {}): Promise<Response> =>
  fetch(`${url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
  });

async function rpc(url: string, key: string, method: string): Promise<unknown> {
  const text = await (await post(url, key, method)).text();
  const body = JSON.parse(/^data: (\{.*)$/m.exec(text)?.[1] ?? text);
  if (body.error) throw new Error(`${method}: ${body.error.message}`);
  return body.result;
}

// biome-ignore lint/suspicious/noExplicitAny: a proof reads whatever the server says
async function rest(url: string, key: string, method: string, path: string, body?: object): Promise<any> {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer).slice(0, 500)}`);
  return answer;
}
