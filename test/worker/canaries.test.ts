import { env, runInDurableObject } from "cloudflare:test";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Directory } from "../../src/auth/directory.ts";
import { Invitations } from "../../src/auth/invitations.ts";
import { mintKey } from "../../src/auth/keys.ts";
import { Sessions } from "../../src/auth/sessions.ts";
import type { Env } from "../../src/env.ts";
import { identityRoutes } from "../../src/identity_routes.ts";
import { restRoutes } from "../../src/rest_routes.ts";
import { routes as operatingRoutes } from "../../src/routes.ts";
import { account, ORIGIN, owner, rest } from "./client.ts";
import { configure, newKey, publishing } from "./jwt_issuer.ts";
import { client, codeFor, connect, refresh } from "./oauth_flow.ts";
import { configureModels, UPSTREAM_KEY } from "./provider.ts";
import { MCP_HEADERS, provingPart, send, toolCall } from "./refusal.ts";

/** Secrets of every kind, put where they belong and where they do not, must come out nowhere. */

configureModels();
const settings = env as unknown as Env;
const routes = [...operatingRoutes, ...restRoutes, ...identityRoutes];
const NO_LIMIT = 1_000_000;
Object.assign(settings, {
  PLANS: JSON.stringify({ canary: { minute: NO_LIMIT, hour: NO_LIMIT, day: NO_LIMIT, monthlyTokens: null } }),
  CLERK_ISSUER: "https://clerk.example",
  CLERK_WEBHOOK_SECRET: "whsec_Y2FuYXJ5IG9mIHRoZSB3ZWJob29rcw==",
  STRIPE_SECRET_KEY: "sk_test_canaryofthestripekey",
  STRIPE_WEBHOOK_SECRET: "whsec_canaryofthestripewebhook",
  GITHUB_CLIENT_ID: "canary",
  GITHUB_CLIENT_SECRET: "canary-of-the-github-app",
});
const EMAIL = "canary.person@example.org";

const METHODS = ["log", "info", "warn", "error", "debug"] as const;
const real = { ...console };
const lines: string[] = [];
const answers: { path: string; sent: string; told: string }[] = [];

/** Whole credentials to present, by what they are. */
let credentials: Record<string, string>;
/** The part of each that proves anything: what is looked for. */
let canaries: Record<string, string>;
let who: { account: string; key: string; user: string };

beforeAll(async () => {
  const admin = await owner();
  const mine = await account("canary", { scopes: ["account", "chat", "search", "sync", "usage", "documents:write"] });
  const { user } = (await rest(admin, "GET", `/v1/admin/accounts/${mine.account}`)).body;
  who = { ...mine, user };
  await new Directory(settings).rename(user, { name: "A person", email: EMAIL });
  const issue = async (more: object) => (await rest(mine.key, "POST", "/v1/keys", { name: "canary", ...more })).body;
  const revoked = await issue({});
  await rest(mine.key, "DELETE", `/v1/keys/${revoked.id}`);
  const rotated = await issue({});
  const successor = (await rest(mine.key, "POST", `/v1/keys/${rotated.id}/rotate`, { overlap: 0 })).body.api_key;
  const app = await client();
  const tokens = await connect({ user, account: mine.account }, { client: app, resource: `${ORIGIN}/v1` });
  const refreshed = await refresh(tokens.refresh_token, app);
  const { form } = await codeFor({ user, account: mine.account }, { client: app });
  const signing = await newKey("ES256", "canary");
  const issuer = await publishing(signing);
  configure(issuer.setting({ algorithms: ["ES256"], default_plan: "canary" }));
  const cookie = (await new Sessions(settings).start(user, "passkey")).split(";")[0] as string;
  const { url } = await new Invitations(settings).create(user, { expiresInSeconds: 600 });
  credentials = {
    "a key": mine.key,
    "a revoked key": revoked.api_key,
    "a rotated key": rotated.api_key,
    "its successor": successor,
    "a forged key": (await mintKey(mine.account)).key,
    "a truncated key": (await mintKey(mine.account)).key.slice(0, -4),
    "an access token": tokens.access_token,
    "a refreshed access token": refreshed.body.access_token,
    "a refresh token": refreshed.body.refresh_token,
    "a code": form.code,
    "a PKCE verifier": form.code_verifier,
    "an external token": await issuer.token(signing),
    "an external token that is expired": await issuer.token(signing, { exp: 1 }),
    "a session": cookie.split("=")[1] as string,
    "an invitation": url.split("/").at(-1) as string,
    "the setup token": "setup-token-of-the-test-suite",
  };
  canaries = {
    ...Object.fromEntries(Object.entries(credentials).map(([name, secret]) => [name, provingPart(secret)])),
    "the provider's key": UPSTREAM_KEY,
    "the webhook secret": "Y2FuYXJ5IG9mIHRoZSB3ZWJob29rcw",
    "the GitHub app's secret": "canary-of-the-github-app",
    "the key of Stripe": "canaryofthestripekey",
    "the secret of Stripe's webhook": "canaryofthestripewebhook",
  };
  const keep = (...parts: unknown[]) =>
    void lines.push(parts.map((part) => (typeof part === "string" ? part : (JSON.stringify(part) ?? ""))).join(" "));
  for (const method of METHODS) console[method] = keep;
});
afterAll(() => void Object.assign(console, real));

async function ask(path: string, init: Parameters<typeof send>[1]): Promise<void> {
  const { headers, body } = await send(path, init);
  answers.push({
    path: path.split("?")[0] as string,
    sent: JSON.stringify(init),
    told: JSON.stringify([...headers, body]),
  });
}

const found = (text: string) =>
  Object.entries(canaries).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));

/** Every row of every table of an object. */
async function rowsOf(stub: DurableObjectStub): Promise<string> {
  return runInDurableObject(stub, (_, { storage }) => {
    const tables = storage.sql.exec<{ name: string }>(
      "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
    );
    return JSON.stringify(
      tables.toArray().map(({ name }) => [name, storage.sql.exec(`SELECT * FROM "${name}"`).toArray()]),
    );
  });
}

it("the search finds every canary where it is", () => {
  expect(found(JSON.stringify(credentials))).toEqual(Object.keys(credentials));
});

it("no secret comes out of any route, whether it was sent as a credential, a cookie, in the URL or in a body", async () => {
  for (const secret of Object.values(credentials)) {
    for (const { method, path } of routes) {
      const to = path.replace(/:\w+\{[^}]*\}|:\w+/g, "x");
      const body =
        method === "GET" || method === "DELETE" ? {} : { body: JSON.stringify({ password: secret, name: 5 }) };
      await ask(to, { key: secret, method, ...body });
      await ask(to, { method, ...body, headers: { Cookie: `__Host-waypost-session=${secret}; key=${secret}` } });
      await ask(`${to}?access_token=${secret}&code=${secret}&state=${secret}`, { key: who.key, method, ...body });
    }
    for (const message of [
      toolCall("usage", {}),
      toolCall("search", { query: 5, token: secret }),
      { jsonrpc: "2.0", id: 1, method: "x", params: { secret } },
    ]) {
      await ask("/mcp", { key: secret, body: JSON.stringify(message), headers: MCP_HEADERS });
      await ask(`/mcp?token=${secret}`, { key: who.key, body: JSON.stringify(message), headers: MCP_HEADERS });
    }
    const form = { "Content-Type": "application/x-www-form-urlencoded" };
    for (const field of ["refresh_token", "code", "token", "client_secret", "code_verifier"]) {
      const body = new URLSearchParams({
        grant_type: field === "code" ? "authorization_code" : "refresh_token",
        client_id: "nobody",
        [field]: secret,
      });
      await ask("/oauth/token", { body: body.toString(), headers: form });
    }
    await ask("/v1/usage", { method: "GET", headers: { Authorization: `Basic ${btoa(secret)}` } });
    await ask("/v1/usage", { method: "GET", headers: { Authorization: secret } });
    await ask("/v1/search", { key: who.key, body: `{"query": ${secret}` });
    // A secret that has no form of its own could be anybody's request id.
    if (/^(wp|usr)_|^eyJ|:/.test(secret)) {
      await ask("/v1/usage", { key: who.key, method: "GET", headers: { "X-Request-Id": secret } });
    }
    await ask("/webhooks/clerk", {
      body: "{}",
      headers: { "svix-id": "x", "svix-timestamp": "1", "svix-signature": `v1,${secret}` },
    });
  }
  for (const model of ["paid/echo", "paid/fail-401", "paid/fail-500", "paid/malformed-chunk", "gone/echo"]) {
    await ask("/v1/chat", { key: who.key, body: JSON.stringify({ message: "hi", model }) });
  }
  expect(answers.length).toBeGreaterThan(1_000);
  const leaks = answers.flatMap(({ path, told }) =>
    found(told).map((name) => `${name}: ${path} ${told.slice(0, 300)}`),
  );
  expect(leaks).toEqual([]);
  const own = ["a key", "its successor", "an access token", "a refreshed access token", "a session"];
  const withEmail = answers.filter(({ told }) => told.includes(EMAIL));
  expect(withEmail.length).toBeGreaterThan(0);
  for (const { path, sent } of withEmail) {
    expect(path).toMatch(/^\/(v1\/me$|account|sign-|oauth\/authorize|claim)/);
    expect(own.some((name) => sent.includes(credentials[name] as string))).toBe(true);
  }
}, 240_000);

it("no log line has one", async () => {
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect(lines.length).toBeGreaterThan(10);
  expect(lines.flatMap((line) => found(line).map((name) => `${name}: ${line.slice(0, 300)}`))).toEqual([]);
  expect(lines.filter((line) => line.includes(EMAIL))).toEqual([]);
});

it("no store has one", async () => {
  // What the ledger gathers reaches its tables within a second.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { LEDGER, VAULT, AUTH, DB } = settings;
  const objects: Record<string, string> = {
    ledger: await rowsOf(LEDGER.get(LEDGER.idFromName(who.account))),
    vault: await rowsOf(VAULT.get(VAULT.idFromName(who.account))),
    "user's store": await rowsOf(AUTH.get(AUTH.idFromName(`user:${who.user}`))),
  };
  expect(objects.ledger).toContain("key_");
  expect(objects["user's store"]).toContain("session:");
  const { results } = await DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all<{ name: string }>();
  expect(results.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["accounts", "users", "invitations", "audit_logs"]),
  );
  for (const { name } of results)
    objects[name] = JSON.stringify((await DB.prepare(`SELECT * FROM "${name}"`).all()).results);
  expect(
    Object.entries(objects).flatMap(([name, rows]) => found(rows).map((canary) => `${canary} in ${name}`)),
  ).toEqual([]);
  const withEmail = Object.entries(objects)
    .filter(([, rows]) => rows.includes(EMAIL))
    .map(([name]) => name);
  expect(withEmail).toEqual(["users"]);
});
