import { abortAllDurableObjects, env, runInDurableObject, SELF } from "cloudflare:test";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ResourceUpdatedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { CfWorkerJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/cfworker";
import { beforeAll, describe, expect, it } from "vitest";
import { EventLog } from "../../src/mcp/sessions/event_log.ts";
import type { McpSession } from "../../src/mcp/sessions/mcp_session.ts";
import { account, ORIGIN, rest } from "./client.ts";

/** What goes on in a session while no request runs: streams to listen on, sleep, and what is taken up again. */

let key: string;
beforeAll(async () => {
  key = (await account()).key;
});

const until = async (met: () => boolean) => {
  for (let i = 0; i < 100 && !met(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
};

async function connected() {
  const client = new Client(
    { name: "t", version: "1" },
    { capabilities: { elicitation: {} }, jsonSchemaValidator: new CfWorkerJsonSchemaValidator() },
  );
  const transport = new StreamableHTTPClientTransport(new URL(`${ORIGIN}/mcp`), {
    fetch: (url, init) => SELF.fetch(new Request(url, init)),
    requestInit: { headers: { Authorization: `Bearer ${key}` } },
  });
  await client.connect(transport as Parameters<Client["connect"]>[0]);
  const session = transport.sessionId as string;
  return { client, transport, session };
}

const send = (session: string, method: string, body?: object, headers: Record<string, string> = {}) =>
  SELF.fetch(`${ORIGIN}/mcp`, {
    method,
    headers: {
      Authorization: `Bearer ${key}`,
      Accept: "application/json, text/event-stream",
      "mcp-session-id": session,
      ...(body ? { "content-type": "application/json" } : {}),
      ...headers,
    },
    ...(body ? { body: JSON.stringify({ jsonrpc: "2.0", ...body }) } : {}),
  });

const streamsOf = (session: string) =>
  runInDurableObject(
    env.MCP_SESSIONS.get(env.MCP_SESSIONS.idFromString(session)),
    (object: McpSession) => object.openStreams,
  );

async function streamsBecome(session: string, count: number): Promise<void> {
  let open = await streamsOf(session);
  for (let i = 0; i < 200 && open !== count; i++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    open = await streamsOf(session);
  }
  expect(open).toBe(count);
}

describe("the client most programs embed", () => {
  it("calls, sleeps, calls again in the same session, and ends it", async () => {
    const { client, transport, session } = await connected();
    const me = await client.callTool({ name: "whoami", arguments: {} });
    expect(me.isError).toBeUndefined();
    await abortAllDurableObjects();
    expect((await client.callTool({ name: "whoami", arguments: {} })).content).toEqual(me.content);
    expect((await client.listTools()).tools.length).toBeGreaterThan(5);
    await transport.terminateSession();
    expect((await send(session, "POST", { id: 9, method: "ping" })).status).toBe(404);
    await client.close();
  });

  it("hears of a document that it has subscribed to, also after the session slept", async () => {
    const store = (text: string) =>
      rest(key, "POST", "/v1/documents", { documents: [{ id: "tea", title: "Tea", text }] });
    expect((await store("Steep it.")).status).toBe(200);
    const uri = "waypost://documents/tea";
    const { client, session } = await connected();
    const told: string[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void told.push(params.uri));
    await client.subscribeResource({ uri });
    await until(() => false || told.length > 0);
    await streamsBecome(session, 1);
    await store("Steep it for three minutes.");
    await until(() => told.length > 0);
    expect(told).toEqual([uri]);
    await abortAllDurableObjects();
    // The client finds its stream broken and opens another.
    await streamsBecome(session, 1);
    await store("Steep it for four minutes.");
    await until(() => told.length > 1);
    expect(told).toEqual([uri, uri]);
    await client.close();
    await streamsBecome(session, 0);
  }, 20_000);
});

describe("streams", () => {
  it("of a request begin with an event to come back to, and what was missed is told once", async () => {
    const { client, session } = await connected();
    const version = { "mcp-protocol-version": "2025-11-25" };
    const stream = await (await send(session, "POST", { id: 5, method: "tools/list" }, version)).text();
    const [first] = [...stream.matchAll(/^id: (.+)$/gm)].map(([, id]) => id as string);
    expect(stream).toMatch(/^id: \S+\nretry: \d+\ndata: \n\n/);
    const again = await (await send(session, "GET", undefined, { "last-event-id": first as string })).text();
    expect(again.match(/"id":5/g)).toHaveLength(1);
    const gone = await send(session, "GET", undefined, { "last-event-id": "answer-0-1" });
    expect([gone.status, ((await gone.json()) as { error: { data: { code: string } } }).error.data.code]).toEqual([
      410,
      "answer_gone",
    ]);
    await client.close();
  });

  it("to listen on: the newest takes the place of the one before", async () => {
    const { client, session } = await connected();
    const first = await send(session, "GET");
    const second = await send(session, "GET");
    expect([first.status, second.status, await first.text(), await streamsOf(session)]).toEqual([200, 200, "", 1]);
    await second.body?.cancel();
    await client.close();
  });

  it("cannot be mixed up by two requests with one id", async () => {
    const { client, session } = await connected();
    const asked = Array.from({ length: 5 }, () => send(session, "POST", { id: "same", method: "tools/list" }));
    const replies = await Promise.all((await Promise.all(asked)).map(async (r) => [r.status, await r.text()] as const));
    for (const [status, text] of replies) {
      expect([200, 400]).toContain(status);
      expect(text.match(/"id":"same"/g)).toHaveLength(1);
    }
    expect(replies.some(([status]) => status === 200)).toBe(true);
    await client.close();
  });
});

describe("what is remembered", () => {
  it("is bounded, the oldest forgotten first, and told stream by stream", async () => {
    const log = new EventLog();
    const ids: string[] = [];
    for (let i = 0; i < 3_000; i++) {
      const params = { i, x: "x".repeat(1_000) };
      ids.push(await log.storeEvent(i % 2 ? "odd" : "even", { jsonrpc: "2.0", method: "m", params }));
    }
    expect(log.size).toBeLessThanOrEqual(1_048_576);
    expect(log.has(ids[0] as string)).toBe(false);
    const from = ids.at(-5) as string;
    const told: string[] = [];
    const stream = await log.replayEventsAfter(from, { send: async (id) => void told.push(id) });
    expect([stream, told]).toEqual(["odd", [ids.at(-3), ids.at(-1)]]);
    await expect(log.replayEventsAfter(ids[0] as string, { send: async () => {} })).rejects.toThrow();
  });
});
