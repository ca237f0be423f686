import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { EventStore } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  ElicitRequestSchema,
  type JSONRPCMessage,
  LoggingMessageNotificationSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { afterEach, expect, test } from "vitest";
import { BRIDGE, bridgeEnv, listen, startBridge, type Wire, wireTo } from "./bridge_host.ts";

/** The bridge before a server with sessions: the official SDK's own, of the protocol's 2025 versions. */

const ended: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** Keeps events so that a stream can be resumed. */
class Events implements EventStore {
  readonly #events: { id: string; stream: string; message: JSONRPCMessage }[] = [];
  async storeEvent(stream: string, message: JSONRPCMessage) {
    const id = `${this.#events.length}`;
    this.#events.push({ id, stream, message });
    return id;
  }
  async replayEventsAfter(last: string, { send }: { send(id: string, message: JSONRPCMessage): Promise<void> }) {
    const stream = this.#events[Number(last)]?.stream ?? "";
    for (const event of this.#events.slice(Number(last) + 1)) {
      if (event.stream === stream) await send(event.id, event.message);
    }
    return stream;
  }
}

interface World {
  client: Client;
  wire: Wire;
  /** Sessions the server knows. */
  sessions: Map<string, { transport: StreamableHTTPServerTransport; server: McpServer }>;
  /** What the server saw. */
  seen: { cancelled: number; ran: number; deleted: number; agents: Set<string> };
  /** Lets the tool `wait` answer. */
  go(): void;
}

async function world(prepare: (client: Client) => void = () => {}): Promise<World> {
  const sessions: World["sessions"] = new Map();
  const seen: World["seen"] = { cancelled: 0, ran: 0, deleted: 0, agents: new Set() };
  let go = () => {};
  const gone = new Promise<void>((resolve) => {
    go = resolve;
  });

  function serverOfSession(): McpServer {
    const server = new McpServer({ name: "sessions", version: "1.0.0" }, { capabilities: { logging: {} } });
    server.registerTool("ask", {}, async () => {
      const { action, content } = await server.server.elicitInput({
        message: "Which tea?",
        requestedSchema: { type: "object", properties: { tea: { type: "string" } } },
      });
      return { content: [{ type: "text", text: `${action} ${content?.tea}` }] };
    });
    server.registerTool("wait", {}, async ({ signal, sendNotification, _meta }) => {
      seen.ran++;
      const progressToken = _meta?.progressToken;
      if (progressToken !== undefined) {
        await sendNotification({ method: "notifications/progress", params: { progressToken, progress: 1 } });
      }
      signal.addEventListener("abort", () => {
        seen.cancelled++;
      });
      await gone;
      return { content: [{ type: "text", text: "waited" }] };
    });
    return server;
  }

  async function serve(request: IncomingMessage, response: ServerResponse) {
    seen.agents.add(request.headers["user-agent"] ?? "");
    if (request.method === "DELETE") seen.deleted++;
    const id = request.headers["mcp-session-id"];
    const known = typeof id === "string" ? sessions.get(id) : undefined;
    if (known) return known.transport.handleRequest(request, response);
    if (id !== undefined) {
      const error = { code: -32001, message: "Session not found" };
      response.writeHead(404, { "content-type": "application/json" });
      return response.end(JSON.stringify({ jsonrpc: "2.0", id: null, error }));
    }
    const server = serverOfSession();
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: 100,
      onsessioninitialized: (session) => void sessions.set(session, { transport, server }),
    });
    await server.connect(transport as never);
    return transport.handleRequest(request, response);
  }

  const http = await listen((request, response) => void serve(request, response));
  ended.push(http.close);
  const wire = await wireTo(http.port);
  ended.push(wire.close);
  const client = new Client({ name: "Host App", version: "2.1" }, { capabilities: { elicitation: {} } });
  prepare(client);
  const env = bridgeEnv({ url: `${wire.url}/mcp`, key: "wp_key" });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [BRIDGE, "mcp"], env, stderr: "ignore" }),
  );
  ended.push(() => client.close());
  return { client, wire, sessions, seen, go };
}

const textOf = (result: unknown) => (result as { content: { text: string }[] }).content[0]?.text;

test("a request of the server reaches the client, and its answer the server", async () => {
  const { client, seen } = await world((client) =>
    client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
      expect(params.message).toBe("Which tea?");
      return { action: "accept", content: { tea: "green" } };
    }),
  );
  expect(textOf(await client.callTool({ name: "ask" }))).toBe("accept green");
  expect([...seen.agents].at(-1)).toMatch(/^Host-App\/2\.1 waypost-bridge\/\d/);
});

test("what the server says of its own accord arrives, also after a cut", async () => {
  const heard: unknown[] = [];
  const { wire, sessions } = await world((client) =>
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void heard.push(params.data)),
  );
  const [session] = [...sessions.values()];
  const say = (data: string) => session?.server.sendLoggingMessage({ level: "info", data });
  /** Says it until it is heard: what is said while nobody listens is lost. */
  const untilHeard = (data: string) =>
    expect
      .poll(async () => {
        await say(data);
        return heard;
      })
      .toContain(data);
  await untilHeard("one");
  wire.cut();
  await untilHeard("two");
});

test("an answer whose stream was cut is resumed, and the call ran once", async () => {
  const { client, wire, seen, go } = await world();
  let begun = false;
  const onprogress = () => {
    begun = true;
  };
  const answer = client.callTool({ name: "wait" }, undefined, { onprogress });
  // A call that is cut before anything of its stream has come is one that may not have arrived.
  await expect.poll(() => begun).toBe(true);
  wire.cut();
  setTimeout(go, 300);
  expect(textOf(await answer)).toBe("waited");
  expect(seen.ran).toBe(1);
});

test("a cancelled call is cancelled at the server", async () => {
  const { client, seen, go } = await world();
  const controller = new AbortController();
  const answer = client.callTool({ name: "wait" }, undefined, { signal: controller.signal });
  await expect.poll(() => seen.ran).toBe(1);
  controller.abort();
  await expect(answer).rejects.toThrow();
  await expect.poll(() => seen.cancelled).toBe(1);
  go();
});

test("a session that the server has forgotten is opened anew, without a word to the client", async () => {
  const { client, sessions, go } = await world();
  go();
  sessions.clear();
  const answers = await Promise.all([1, 2, 3].map(() => client.callTool({ name: "wait" })));
  expect(answers.map(textOf)).toEqual(["waited", "waited", "waited"]);
  expect(sessions.size).toBe(1);
});

test("it takes leave of its session", async () => {
  const { client, seen } = await world();
  await client.close();
  await expect.poll(() => seen.deleted).toBe(1);
});

test("a client that does not read holds up the server, and nothing is lost", async () => {
  let sent = 0;
  const chunk = `data: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/message", params: { level: "info", data: "x".repeat(50_000) } })}\n\n`;
  const http = await listen((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "text/event-stream" });
    const more = () => {
      while (sent < 2000) {
        sent++;
        if (!response.write(chunk)) return void response.once("drain", more);
      }
      response.end(`data: ${JSON.stringify({ jsonrpc: "2.0", id: 1, result: {} })}\n\n`);
    };
    more();
  });
  ended.push(http.close);
  const bridge = startBridge(bridgeEnv({ url: `http://127.0.0.1:${http.port}`, key: "wp_key" }));
  bridge.child.stdout.pause();
  bridge.say({ jsonrpc: "2.0", id: 1, method: "tools/list" });
  await expect.poll(() => sent, { timeout: 5000 }).toBeGreaterThan(10);
  await new Promise((done) => setTimeout(done, 1500));
  const held = sent;
  // 100 MB in all: what is under way is what sockets and pipes hold.
  expect(held).toBeLessThan(400);
  bridge.child.stdout.resume();
  let last: Record<string, unknown> = {};
  for (let n = 0; n <= 2000; n++) last = await bridge.next();
  expect(last).toEqual({ jsonrpc: "2.0", id: 1, result: {} });
  bridge.child.stdin.end();
  expect(await bridge.ended).toBe(0);
});
