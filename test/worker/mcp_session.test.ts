import { env, evictDurableObject, runDurableObjectAlarm, runInDurableObject, SELF } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { McpSession } from "../../src/mcp/sessions/mcp_session.ts";
import { IDLE_MS, MOST_MS } from "../../src/mcp/sessions/session.ts";
import { account, ORIGIN, owner as ownerKey, rest } from "./client.ts";

/** Sessions of 2025 clients: who gets one, whose it is, and how it ends. */

type Headers = Record<string, string>;
const VERSION = "2025-11-25";
const ASKED = { elicitation: {}, sampling: {} };

let owner: Awaited<ReturnType<typeof account>>;
let other: Awaited<ReturnType<typeof account>>;
beforeAll(async () => {
  owner = await account();
  other = await account();
});

const send = (key: string, method: string, body?: unknown, headers: Headers = {}) =>
  SELF.fetch(`${ORIGIN}/mcp`, {
    method,
    headers: {
      Authorization: `Bearer ${key}`,
      Accept: "application/json, text/event-stream",
      ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

const initialize = (capabilities: object, version = VERSION) => ({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: version, capabilities, clientInfo: { name: "t", version: "1" } },
});

/** Opens a session; resolves on its headers. */
async function open(key: string, version = VERSION): Promise<Headers> {
  const response = await send(key, "POST", initialize(ASKED, version));
  expect(response.status).toBe(200);
  expect(await response.text()).toContain('"serverInfo"');
  const session = response.headers.get("mcp-session-id") as string;
  expect(session).toMatch(/^[0-9a-f]{64}$/);
  const headers = { "mcp-session-id": session, "mcp-protocol-version": version };
  const ready = await send(key, "POST", { jsonrpc: "2.0", method: "notifications/initialized" }, headers);
  expect(ready.status).toBe(202);
  return headers;
}

const stubOf = (headers: Headers): DurableObjectStub<McpSession> =>
  env.MCP_SESSIONS.get(env.MCP_SESSIONS.idFromString(headers["mcp-session-id"] as string));

const secondKey = async (of: string): Promise<string> =>
  (await rest(await ownerKey(), "POST", "/v1/keys", { account: of, name: "second" })).body.api_key;

const rpc = (method: string, params: object = {}, id: number | string = 1) => ({ jsonrpc: "2.0", id, method, params });
const messagesIn = (text: string) =>
  [...text.matchAll(/^data: (\{.*)$/gm)].map(([, json]) => JSON.parse(json as string));

async function answer(response: Response) {
  const text = await response.text();
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  return { status: response.status, message: isStream ? messagesIn(text).at(-1) : JSON.parse(text || "null") };
}

const ask = async (key: string, headers: Headers, method: string, params: object = {}, id: number | string = 1) =>
  answer(await send(key, "POST", rpc(method, params, id), headers));

describe("who gets a session", () => {
  it.each([
    ["elicitation", { elicitation: {} }, true],
    ["sampling", { sampling: {} }, true],
    ["roots", { roots: { listChanged: true } }, true],
    ["nothing", {}, false],
    ["something else", { experimental: {} }, false],
  ])("a client that declares %s", async (_, capabilities, gets) => {
    const response = await send(owner.key, "POST", initialize(capabilities));
    expect(response.status).toBe(200);
    await response.text();
    expect(response.headers.has("mcp-session-id")).toBe(gets);
  });

  it("not a request of 2026, whatever header it carries", async () => {
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": ASKED,
    };
    const headers = { ...(await open(other.key)), "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list" };
    const { status, message } = await ask(owner.key, headers, "tools/list", { _meta: meta });
    expect([status, message.result.tools.length > 0]).toEqual([200, true]);
  });
});

describe("whose it is", () => {
  it("answers tools, lists and errors to the one who opened it", async () => {
    const headers = await open(owner.key);
    const call = await ask(owner.key, headers, "tools/call", { name: "whoami", arguments: {} }, "a");
    expect(JSON.stringify(call.message.result)).toContain(owner.account);
    expect(call.message.id).toBe("a");
    const list = await ask(owner.key, headers, "tools/list", {}, 2);
    expect(list.message.result.tools.map(({ name }: { name: string }) => name)).toContain("search");
    const wrong = await ask(owner.key, headers, "no/such", {}, 3);
    expect(wrong.message.error).toMatchObject({ code: -32601, data: { code: "unknown_method" } });
  });

  it("does not exist for anybody else, nor for another key of the same account, in the same words", async () => {
    const headers = await open(owner.key);
    const second = await secondKey(owner.account);
    const absent = { ...headers, "mcp-session-id": env.MCP_SESSIONS.newUniqueId().toString() };
    const expected = await ask(owner.key, absent, "tools/list");
    expect(expected).toMatchObject({ status: 404, message: { id: 1, error: { code: -32001 } } });
    for (const key of [other.key, second]) {
      for (const method of ["POST", "GET", "DELETE"] as const) {
        const body = method === "POST" ? rpc("tools/list") : undefined;
        const { status, message } = await answer(await send(key, method, body, headers));
        expect([status, message.error.message]).toEqual([404, expected.message.error.message]);
      }
    }
    expect((await ask(owner.key, headers, "ping")).message.result).toEqual({});
  });

  it.each(["", "x", "0".repeat(64), "../..", "a".repeat(10_000)])(
    "an id that was never given is 404 (%#)",
    async (id) => {
      const { status, message } = await ask(owner.key, { "mcp-session-id": id }, "tools/list");
      expect([status, message.error.data.code]).toEqual([404, "no_mcp_session"]);
    },
  );

  it("is lost with its key, at the next message", async () => {
    const fresh = await account();
    const headers = await open(fresh.key);
    const revoked = await rest(await ownerKey(), "DELETE", `/v1/keys/${fresh.keyId}?account=${fresh.account}`);
    expect(revoked.status).toBe(200);
    const { status, message } = await ask(fresh.key, headers, "tools/call", { name: "whoami", arguments: {} });
    expect([status, message.error.data.code]).toEqual([401, "key_revoked"]);
    expect((await send(fresh.key, "GET", undefined, headers)).status).toBe(401);
  });
});

describe("its end", () => {
  it("comes when the client says so", async () => {
    const headers = await open(owner.key);
    const stream = await send(owner.key, "GET", undefined, headers);
    expect((await send(owner.key, "DELETE", undefined, headers)).status).toBe(200);
    expect(await stream.text()).toBe("");
    expect((await ask(owner.key, headers, "tools/list")).status).toBe(404);
    await runInDurableObject(stubOf(headers), async (_, { storage }) => {
      expect((await storage.list()).size).toBe(0);
      expect(await storage.getAlarm()).toBeNull();
    });
  });

  it.each([
    ["nobody used it for long", { usedAt: -IDLE_MS }],
    ["it is old", { openedAt: -MOST_MS }],
  ])("comes when %s", async (_, before) => {
    const headers = await open(owner.key);
    await runInDurableObject(stubOf(headers), async (_, { storage }) => {
      const kept = (await storage.get("session")) as Record<string, number>;
      expect(await storage.getAlarm()).toBeGreaterThan(Date.now());
      for (const [field, by] of Object.entries(before)) kept[field] = (kept[field] as number) + by;
      await storage.put("session", kept);
    });
    await evictDurableObject(stubOf(headers));
    expect((await ask(owner.key, headers, "ping")).status).toBe(404);
    await runDurableObjectAlarm(stubOf(headers));
    await runInDurableObject(stubOf(headers), async (_, { storage }) => expect((await storage.list()).size).toBe(0));
  });

  it("leaves nothing of a session that was only tried", async () => {
    const response = await send(owner.key, "POST", initialize(ASKED));
    await response.text();
    const headers = { "mcp-session-id": response.headers.get("mcp-session-id") as string };
    await runInDurableObject(stubOf(headers), async (_, { storage }) => expect((await storage.list()).size).toBe(0));
  });
});

describe("what it refuses", () => {
  it("a batch", async () => {
    const headers = await open(owner.key);
    const { status, message } = await answer(await send(owner.key, "POST", [rpc("ping"), rpc("ping", {}, 2)], headers));
    expect([status, message.error.code]).toEqual([400, -32600]);
  });

  it("a body over the limit, in both eras", async () => {
    const headers = await open(owner.key);
    const body = `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"${"x".repeat(16 * 1024 * 1024)}"}}`;
    for (const extra of [headers, {}, { "mcp-protocol-version": "2026-07-28" }]) {
      expect((await answer(await send(owner.key, "POST", body, extra))).status).toBe(413);
    }
  });

  it("an initialize that is long, and one in a session", async () => {
    const long = initialize({ elicitation: {}, experimental: { x: { y: "x".repeat(20_000) } } });
    expect((await answer(await send(owner.key, "POST", long))).status).toBe(413);
    const headers = await open(owner.key);
    expect((await answer(await send(owner.key, "POST", initialize(ASKED), headers))).status).toBe(400);
  });
});
