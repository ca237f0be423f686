import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { billed, call, served, startWorld, type World, words } from "./stream_client.ts";

/** Long answers over MCP: a handle when one takes longer than its client waits, and progress that keeps a steady pace. */

let world: World;
beforeAll(async () => {
  world = await startWorld({ LONG_CALL_MS: "1500" });
});
afterAll(() => world?.close());

const requestInit = () => ({ headers: { Authorization: `Bearer ${world.waypost.apiKey}` } });

async function agent(): Promise<Client> {
  const client = new Client(
    { name: "agent", version: "1.0.0" },
    { versionNegotiation: { mode: { pin: "2026-07-28" } } },
  );
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${world.waypost.url}/mcp`), { requestInit: requestInit() }),
  );
  await client.listTools();
  return client;
}

async function agentOf2025(): Promise<LegacyClient> {
  const client = new LegacyClient({ name: "agent of 2025", version: "1.0.0" });
  const transport = new LegacyTransport(new URL(`${world.waypost.url}/mcp`), { requestInit: requestInit() });
  await client.connect(transport as Parameters<LegacyClient["connect"]>[0]);
  await client.listTools();
  return client;
}

const until = async (met: () => boolean | Promise<boolean>) => {
  for (let i = 0; i < 400 && !(await met()); i++) await new Promise((resolve) => setTimeout(resolve, 50));
};

test.each([
  ["a session of its own", {}, true],
  ["the session that was named", { session_id: "named" }, true],
  ["a session of its own, with nobody reading along", {}, false],
])("an answer that takes long comes into %s", async (_, session, progress) => {
  const client = await agent();
  const message = words(60);
  const started = Date.now();
  const texts: string[] = [];
  const options = progress ? { onprogress: ({ message = "" }: { message?: string }) => void texts.push(message) } : {};
  const result = await client.callTool(
    { name: "chat", arguments: { message, model: "paid/slow-words", ...session } },
    options,
  );
  expect(Date.now() - started).toBeLessThan(2_500);
  expect(result.isError).toBeUndefined();
  const handle = result.structuredContent as {
    id: string;
    session_id: string;
    finish_reason: string;
    cost: { call_id: string };
  };
  expect(handle.finish_reason).toBe("later");
  if ("session_id" in session) expect(handle.session_id).toBe(session.session_id);
  const [{ text } = { text: "" }] = result.content as { text: string }[];
  expect(text).toContain(`msg:${handle.id}`);
  if (progress) expect(`You said: ${message}`.startsWith(texts.join(""))).toBe(true);
  const early = await client.callTool({ name: "fetch", arguments: { id: `msg:${handle.id}` } });
  expect(early).toMatchObject({ isError: true, _meta: { "waypost/problem": { code: "not_found", retry: "later" } } });
  await client.close();

  const line = await billed(world, handle.cost.call_id);
  expect(line).toMatchObject({ status: "ok", estimated: false, session_id: handle.session_id });
  expect(served(world).completed).toBe(true);
  const again = await agent();
  const found = await again.callTool({ name: "fetch", arguments: { id: `msg:${handle.id}` } });
  expect(found.structuredContent).toMatchObject({
    text: `You said: ${message}`,
    metadata: { session_id: handle.session_id },
  });
  const pulled = await again.callTool({ name: "sync_session", arguments: { session_id: handle.session_id } });
  expect(JSON.stringify(pulled.structuredContent)).toContain(`You said: ${message}`);
  await again.close();
  const { body } = await call(world, "GET", "/v1/usage?recent=50");
  expect(body.recent.filter(({ id }: { id: string }) => id === handle.cost.call_id)).toHaveLength(1);
});

test("an answer that is soon there is answered as ever", async () => {
  const client = await agent();
  const result = await client.callTool({ name: "chat", arguments: { message: "one two", model: "paid/echo" } });
  expect(result.structuredContent).toMatchObject({ text: "You said: one two", finish_reason: "stop" });
  await client.close();
});

test("progress comes at most 20 times a second, in order, without a gap, and none after the result", async () => {
  const client = await agent();
  const message = words(200);
  const came: { at: number; text: string; progress: number }[] = [];
  const result = await client.callTool(
    { name: "chat", arguments: { message, model: "paid/brisk-words" } },
    { onprogress: ({ message: text = "", progress }) => void came.push({ at: Date.now(), text, progress }) },
  );
  const count = came.length;
  expect((result.structuredContent as { text: string }).text).toBe(came.map(({ text }) => text).join(""));
  expect(came.map(({ progress }) => progress)).toEqual([...came.keys()].map((i) => i + 1));
  const took = (came.at(-1)?.at ?? 0) - (came[0]?.at ?? 0);
  expect(count).toBeGreaterThan(5);
  expect(count).toBeLessThanOrEqual(took / 50 + 3);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(came).toHaveLength(count);
  await client.close();
});

test.each([
  ["2026-07-28", agent],
  ["2025", agentOf2025],
] as const)("a client of %s that cancels has its provider cut, and pays for what came", async (_, connect) => {
  const client = (await connect()) as Client;
  const controller = new AbortController();
  const newestChat = async () =>
    (await call(world, "GET", "/v1/usage?recent=50")).body.recent.find(
      (line: { tool: string }) => line.tool === "chat",
    );
  const before = (await newestChat())?.id;
  const asked = client.callTool(
    { name: "chat", arguments: { message: words(2_000), model: "paid/brisk-words" } },
    ...((connect === agent ? [] : [undefined]) as []),
    { signal: controller.signal, onprogress: () => setTimeout(() => controller.abort(), 100) },
  );
  await expect(asked).rejects.toThrow();
  let newest: { id: string; status: string; cost_nano: number } | undefined;
  await until(async () => {
    newest = await newestChat();
    return newest !== undefined && newest.id !== before;
  });
  expect(newest?.id).not.toBe(before);
  expect(newest).toMatchObject({ status: "client_closed" });
  expect(newest?.cost_nano).toBeGreaterThan(0);
  expect(served(world)).toMatchObject({ completed: false });
  await client.close();
});

test.each([
  ["the words and its end", true],
  ["its end, when it is not streamed", false],
])("a device that listens to the session of a handle hears of the answer %s", async (_, streamed) => {
  const client = await agent();
  const message = words(90);
  const options = streamed ? { onprogress: () => {} } : {};
  const result = await client.callTool({ name: "chat", arguments: { message, model: "paid/slow-words" } }, options);
  const handle = result.structuredContent as { session_id: string; finish_reason: string };
  expect(handle.finish_reason).toBe("later");
  const url = `${world.waypost.url.replace("http", "ws")}/v1/sessions/${handle.session_id}/live`;
  const socket = new WebSocket(url, ["waypost.live", `bearer.${world.waypost.apiKey}`]);
  const heard: { type: string; text?: string }[] = [];
  socket.addEventListener("message", ({ data }) => {
    heard.push(JSON.parse(data));
    socket.send(`{"seen":${String(data).length}}`);
  });
  await until(() => heard.at(-1)?.type === "message");
  expect(heard.map(({ text = "" }) => text).join("")).toBe(streamed ? `You said: ${message}` : "");
  expect(heard.at(-1)?.type).toBe("message");
  socket.close();
  await client.close();
});
