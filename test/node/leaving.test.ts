import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { costNano } from "../../src/ledger/money.ts";
import { estimateTokens } from "../../src/models/tokens.ts";
import { type How, type SilentServer, startSilent, WORDS } from "../upstream/silent.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/**
 * Clients that leave while the provider is silent: before its first byte, and in the middle. Nothing is written then that
 * would show that nobody reads any more.
 */

const KEEP_ALIVE_MS = 200;
const DRAIN_MS = 400;
/** Until a client is missed, until its provider is cut, and for a machine that is busy. */
const CUT_WITHIN_MS = 2 * KEEP_ALIVE_MS + DRAIN_MS + 2_000;
const PRICE = { input: 3_000_000, output: 15_000_000 };
/** Of models whose provider charges. */
const MARKUP_BPS = 10_300;

interface Door {
  path: string;
  provider: string;
}
const DOORS: Record<string, Door> = {
  completions: { path: "/v1/chat/completions", provider: "paid" },
  responses: { path: "/v1/responses", provider: "openai" },
  messages: { path: "/v1/messages", provider: "anthropic" },
  converted: { path: "/v1/messages", provider: "paid" },
  chat: { path: "/v1/chat", provider: "paid" },
  mcp: { path: "/mcp", provider: "paid" },
};
const HOWS = Object.keys(WORDS) as How[];
/** An answer over MCP has no stream before its first notification. */
const hasStream = (door: string, how: How) => door !== "mcp" || WORDS[how].length > 0;
const CASES = Object.keys(DOORS).flatMap((door) =>
  HOWS.filter((how) => hasStream(door, how)).map((how) => ({ door, how, name: `${how}-${door}` })),
);
const idOf = ({ door, name }: (typeof CASES)[number]) => `${DOORS[door]?.provider}/${name}`;

let silent: SilentServer;
let waypost: Waypost;

beforeAll(async () => {
  silent = await startSilent();
  waypost = await startWaypost({
    vars: {
      RESUME_GRACE_MS: "0",
      KEEP_ALIVE_MS: String(KEEP_ALIVE_MS),
      DRAIN_MS: String(DRAIN_MS),
      PLANS: JSON.stringify({ enterprise: { minute: 10_000, hour: 100_000, day: 100_000, monthlyTokens: null } }),
      OPENAI_API_KEY: "sk-stand-in",
      OPENAI_BASE_URL: `${silent.url}/v1`,
      ANTHROPIC_API_KEY: "sk-ant-stand-in",
      ANTHROPIC_BASE_URL: `${silent.url}/v1`,
      MODEL_PROVIDERS: JSON.stringify([
        {
          id: "paid",
          base_url: `${silent.url}/v1`,
          local: false,
          models: CASES.map(({ name }) => ({ name, context: 100_000 })),
        },
      ]),
      MODEL_PRICES: JSON.stringify(Object.fromEntries(CASES.map((each) => [idOf(each), { input: "3", output: "15" }]))),
    },
  });
});

afterAll(async () => {
  await waypost?.stop();
  await silent?.close();
});

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "leaver", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
  progressToken: "t",
};

function bodyOf(door: string, model: string): object {
  if (door === "mcp") {
    const params = { name: "chat", arguments: { message: "a", model }, _meta: META };
    return { jsonrpc: "2.0", id: 1, method: "tools/call", params };
  }
  if (door === "chat") return { message: "a", model, stream: true };
  if (door === "responses") return { model, input: "a", stream: true };
  return { model, messages: [{ role: "user", content: "a" }], max_tokens: 4_000, stream: true };
}

function requestOf(each: (typeof CASES)[number]): string {
  const { path } = DOORS[each.door] as Door;
  const body = JSON.stringify(bodyOf(each.door, idOf(each)));
  return [
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(waypost.url).host}`,
    `Authorization: Bearer ${waypost.apiKey}`,
    "Content-Type: application/json",
    "Accept: application/json, text/event-stream",
    ...(path === "/mcp" ? ["MCP-Protocol-Version: 2026-07-28", "Mcp-Method: tools/call", "Mcp-Name: chat"] : []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    "",
    body,
  ].join("\r\n");
}

/** Asks, waits until all that the provider says has come, or until it was asked, and closes the socket. When, in ms. */
function leave(each: (typeof CASES)[number]): Promise<number> {
  const { hostname, port } = new URL(waypost.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(requestOf(each)));
    const go = (): void => {
      socket.removeAllListeners("close");
      socket.destroy();
      resolve(Date.now());
    };
    let seen = "";
    socket.on("data", (bytes) => {
      seen += String(bytes);
      if (seen.includes("END")) go();
    });
    socket.once("error", reject);
    socket.once("close", () => reject(new Error(`${each.name} ended: ${seen.slice(-500)}`)));
    if (WORDS[each.how].length === 0) void until(() => silent.asked.some(({ model }) => model === each.name)).then(go);
  });
}

async function until(met: () => boolean | Promise<boolean>, ms = 20_000): Promise<boolean> {
  for (const end = Date.now() + ms; Date.now() < end; await pause(20)) if (await met()) return true;
  return false;
}

async function get<T>(path: string): Promise<T> {
  const headers = { authorization: `Bearer ${waypost.apiKey}` };
  return (await (await fetch(waypost.url + path, { headers })).json()) as T;
}

interface Line {
  model: string;
  status: string;
  input_tokens: number;
  output_tokens: number;
  cost_nano: number;
  estimated: boolean;
}

test.each(CASES)("$how on $door: the provider is cut, what it said is billed, nothing is held", async (each) => {
  const leftAt = await leave(each);
  const entry = silent.asked.find(({ model }) => model === each.name);
  await until(() => entry?.cutAt !== undefined, CUT_WITHIN_MS);
  expect(entry?.cutAt).toBeDefined();
  expect((entry?.cutAt ?? 0) - leftAt).toBeLessThan(CUT_WITHIN_MS);
  let line: Line | undefined;
  await until(async () => {
    const { recent } = await get<{ recent: Line[] }>("/v1/usage?recent=20");
    line = recent.find(({ model }) => model === idOf(each));
    return line !== undefined;
  });
  const output = WORDS[each.how].reduce((sum, word) => sum + estimateTokens(word), 0);
  expect(line).toMatchObject({ status: "client_closed", output_tokens: output });
  const { input_tokens: input = 0, cost_nano } = line as Line;
  expect(input > 0).toBe(output > 0);
  expect(cost_nano).toBe(output > 0 ? costNano({ input, output }, PRICE, MARKUP_BPS) : 0);
  const { books } = await get<{ books: object }>(`/v1/admin/accounts/${waypost.account}`);
  expect(books).toMatchObject({ consistent: true, reserved_nano: 0, open_holds: 0 });
});
