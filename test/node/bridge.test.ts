import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as ClientOf2025 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioOf2025 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BRIDGE, bridgeEnv, startBridge, type Wire, wireTo } from "./bridge_host.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** `waypost mcp`, a client on stdio, and a started server. */

let waypost: Waypost;
let wire: Wire;
let env: Record<string, string>;
beforeAll(async () => {
  waypost = await startWaypost();
  wire = await wireTo(Number(new URL(waypost.url).port));
  env = bridgeEnv({ url: wire.url, key: waypost.apiKey });
});
afterAll(async () => {
  await wire?.close();
  await waypost?.stop();
});

const command = () => ({ command: process.execPath, args: [BRIDGE, "mcp"], env, stderr: "pipe" as const });

type Call = { name: string; arguments: Record<string, unknown> };
type Heard = (progress: { progress: number }) => void;

/** A connected client of each era, and a call of it with progress. */
const eras = {
  "2025": async () => {
    const transport = new StdioOf2025(command());
    const client = new ClientOf2025({ name: "host", version: "1.0.0" });
    await client.connect(transport);
    const call = (params: Call, onprogress: Heard) => client.callTool(params, undefined, { onprogress });
    return { client, call };
  },
  "2026-07-28": async () => {
    const transport = new StdioClientTransport(command());
    const client = new Client({ name: "host", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
    await client.connect(transport);
    expect(client.getNegotiatedProtocolVersion()).toBe("2026-07-28");
    const call = (params: Call, onprogress: Heard) => client.callTool(params, { onprogress });
    return { client, call };
  },
};

describe.each(["2025", "2026-07-28"] as const)("a client of %s", (era) => {
  test("lists, calls, gets progress, and hears of a tool's refusal", async () => {
    const { client, call } = await eras[era]();
    expect(client.getServerVersion()?.name).toBe("waypost");
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain("search");
    const me = await client.callTool({ name: "whoami", arguments: {} });
    expect(JSON.stringify(me.content)).toContain(waypost.account);
    const progress: number[] = [];
    const documents = [1, 2, 3].map((n) => ({ title: `T${n}`, text: `Tea ${n}.` }));
    await call({ name: "add_documents", arguments: { documents } }, ({ progress: now }) => void progress.push(now));
    // Both SDKs drop progress that is read together with the result; what passes in all is a test below.
    expect(progress[0]).toBe(1);
    const refused = await client.callTool({ name: "search", arguments: {} });
    expect(refused.isError).toBe(true);
    await client.close();
  });

  test("is served after every connection was cut, and while the server restarts", async () => {
    const { client } = await eras[era]();
    await client.callTool({ name: "whoami", arguments: {} });
    wire.cut();
    const me = await client.callTool({ name: "whoami", arguments: {} });
    expect(me.isError).not.toBe(true);
    wire.refuse(true);
    setTimeout(() => wire.refuse(false), 1500);
    const later = await client.callTool({ name: "whoami", arguments: {} });
    expect(JSON.stringify(later.content)).toContain(waypost.account);
    await client.close();
  });

  test("has a call whose answer was cut off run once", async () => {
    const { client } = await eras[era]();
    await client.callTool({ name: "whoami", arguments: {} });
    const title = `Once, ${era}`;
    wire.cut();
    wire.cutAnswers = 2;
    const added = await client.callTool({
      name: "add_documents",
      arguments: { documents: [{ title, text: "Once only." }] },
    });
    expect(wire.cutAnswers).toBe(0);
    expect(added._meta).toMatchObject({ "waypost/idempotency-replayed": true });
    await client.close();
  });
});

describe("the command", () => {
  const initialize = {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "raw", version: "1" } },
  };
  const whoami = (id: number) => ({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name: "whoami", arguments: {} },
  });

  test("says what is missing or wrong, and writes nothing on standard output", async () => {
    const cases: [Record<string, string>, string[], RegExp][] = [
      [{ ...env, WAYPOST_API_KEY: "" }, ["mcp"], /WAYPOST_API_KEY is not set/],
      [{ ...env, WAYPOST_API_KEY: "two\nlines" }, ["mcp"], /characters that no key has/],
      [{ ...env, WAYPOST_URL: "localhost:8787" }, ["mcp"], /WAYPOST_URL must be an address/],
      [{ ...env, WAYPOST_URL: "https://me:secret@x.example" }, ["mcp"], /must not hold a user or password/],
      [env, [], /--help/],
      [env, ["mcp", "extra"], /--help/],
    ];
    for (const [environment, args, says] of cases) {
      const bridge = startBridge(environment, args);
      await expect(bridge.next()).rejects.toThrow(says);
      expect(await bridge.ended).toBe(2);
      expect(bridge.stderr()).not.toContain("secret");
    }
  });

  test("ends with standard input, at once, also amid a call", async () => {
    const bridge = startBridge(env);
    bridge.say(initialize);
    expect(await bridge.next()).toMatchObject({ id: 0, result: { serverInfo: { name: "waypost" } } });
    bridge.say({ jsonrpc: "2.0", method: "notifications/initialized" });
    bridge.say(whoami(1));
    const before = Date.now();
    bridge.child.stdin.end();
    expect(await bridge.ended).toBe(0);
    expect(Date.now() - before).toBeLessThan(3000);
  });

  test("ends when nobody reads it any more, and on SIGTERM", async () => {
    const unread = startBridge(env);
    unread.child.stdout.destroy();
    unread.say(initialize);
    expect(await unread.ended).toBe(0);
    const told = startBridge(env);
    told.say(initialize);
    await told.next();
    told.child.kill("SIGTERM");
    expect(await told.ended).toBe(0);
  });

  test("tells a wrong key and an absent server in words, as the answer to the request", async () => {
    const wrong = startBridge({ ...env, WAYPOST_API_KEY: "wp_0000000000000000_wrong" });
    wrong.say(initialize);
    const { error } = (await wrong.next()) as { error: { message: string; data: { code: string } } };
    expect(error.data.code).toMatch(/unauthenticated|invalid/);
    expect(wrong.stderr()).toContain(error.message.slice(0, 30));
    wrong.child.stdin.end();

    const absent = startBridge({ ...env, WAYPOST_URL: "http://127.0.0.1:9" });
    absent.say(initialize);
    expect(await absent.next()).toMatchObject({
      id: 0,
      error: { message: expect.stringMatching(/cannot be reached.*WAYPOST_URL/) },
    });
    absent.child.stdin.end();
    expect(await absent.ended).toBe(0);
  });

  test("sends what comes at once in its order, and answers 300 requests at once", async () => {
    const bridge = startBridge(env);
    bridge.say(initialize);
    bridge.say({ jsonrpc: "2.0", method: "notifications/initialized" });
    for (let id = 1; id <= 300; id++) bridge.say({ jsonrpc: "2.0", id, method: "tools/list" });
    expect(await bridge.next()).toMatchObject({ id: 0 });
    const ids = new Set<unknown>();
    for (let id = 1; id <= 300; id++) {
      const answer = await bridge.next();
      expect(answer.result, JSON.stringify(answer).slice(0, 300)).toHaveProperty("tools");
      ids.add(answer.id);
    }
    expect(ids.size).toBe(300);
    bridge.child.stdin.end();
    expect(await bridge.ended).toBe(0);
  });

  test("passes progress on in its order, before the result", async () => {
    const bridge = startBridge(env);
    bridge.say(initialize);
    await bridge.next();
    bridge.say({ jsonrpc: "2.0", method: "notifications/initialized" });
    const documents = [1, 2, 3].map((n) => ({ title: `P${n}`, text: `Progress ${n}.` }));
    const params = { name: "add_documents", arguments: { documents }, _meta: { progressToken: "p" } };
    bridge.say({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
    for (const progress of [1, 2, 3]) {
      expect(await bridge.next()).toMatchObject({
        method: "notifications/progress",
        params: { progressToken: "p", progress, total: 3 },
      });
    }
    expect(await bridge.next()).toMatchObject({ id: 1, result: {} });
    bridge.child.stdin.end();
    expect(await bridge.ended).toBe(0);
  });

  test("passes over lines that are no message", async () => {
    const bridge = startBridge(env);
    bridge.child.stdin.write("hello\n[1,2]\n\n{}\n");
    bridge.say(initialize);
    expect(await bridge.next()).toMatchObject({ id: 0, result: {} });
    expect(bridge.stderr()).toContain("standard input");
    bridge.child.stdin.end();
    expect(await bridge.ended).toBe(0);
  });
});
