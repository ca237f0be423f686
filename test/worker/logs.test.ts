import { afterEach, beforeEach, expect, it } from "vitest";
import { writeLog } from "../../src/gate/log.ts";
import { account, agentOf2025, rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import { sendMcp, toolCall } from "./refusal.ts";

configureModels();

const METHODS = ["log", "info", "warn", "error", "debug"] as const;
const real = { ...console };
let lines: string[];

beforeEach(() => {
  // What waits of the files before: who was to write it may have ended with them.
  writeLog();
  lines = [];
  const keep = (...parts: unknown[]) =>
    void lines.push(parts.map((part) => (typeof part === "string" ? part : JSON.stringify(part))).join(" "));
  for (const method of METHODS) console[method] = keep;
});
afterEach(() => void Object.assign(console, real));

const FIELDS = [
  "event",
  "request_id",
  "call_id",
  "account",
  "key_id",
  "via",
  "tool",
  "status",
  "replayed",
  "cost_nano",
  "duration_ms",
];

it("the log has a line a call, with ids, counts and times, and nothing that was said", async () => {
  const { key, account: id } = await account();
  const secret = "Xylophonquark";
  const message = { id: `m-${secret}`, role: "user", content: secret, created_at: "2026-01-31T12:00:00Z" };
  const push = [
    { id: "1", kind: "session.create", session_id: `s-${secret}`, title: secret },
    { id: "2", kind: "message.append", session_id: `s-${secret}`, messages: [message] },
  ];
  const headers = { "Idempotency-Key": secret, "User-Agent": secret };
  const calls: [string, object, number][] = [
    ["/v1/documents", { documents: [{ id: secret, title: secret, text: secret, metadata: { a: secret } }] }, 200],
    ["/v1/sync", { device_id: secret, push }, 200],
    ["/v1/search", { query: secret }, 200],
    ["/v1/fetch", { id: secret }, 200],
    ["/v1/fetch", { id: `absent ${secret}` }, 404],
    ["/v1/chat", { message: secret, model: "paid/echo" }, 200],
    ["/v1/chat", { message: secret, model: "paid/fail-500" }, 502],
    ["/v1/chat", { message: secret, model: "paid/malformed-chunk" }, 502],
    ["/v1/chat", { message: secret, model: secret }, 400],
    ["/v1/search", { [secret]: secret }, 400],
    [`/v1/${secret}`, { text: secret }, 404],
  ];
  for (const [path, body, status] of calls) {
    expect((await rest(key, "POST", path, body, { ...headers, "Idempotency-Key": crypto.randomUUID() })).status).toBe(
      status,
    );
  }
  await rest(key, "POST", "/v1/search", { query: secret }, headers);
  await rest(key, "POST", "/v1/search", { query: secret }, headers);
  await rest(`${key}x${secret}`, "POST", "/v1/search", { query: secret });
  await rest(key, "POST", "/v1/search", `{"query": ${secret}`);
  await sendMcp(key, toolCall("search", { query: secret }, true));
  await sendMcp(key, toolCall(secret, { query: secret }));
  await sendMcp(key, { jsonrpc: "2.0", id: 1, method: secret, params: { secret } });
  const client = await agentOf2025(key);
  await client.callTool({ name: "chat", arguments: { message: secret, model: "paid/echo" } });
  await client.close();

  const written = () => lines.join("\n").split("\n");
  const chats = () => written().filter((line) => line.includes(id) && line.includes('"tool":"chat"'));
  await expect.poll(() => chats().length).toBe(5);
  const all = lines.join("\n");
  expect(all).not.toContain(secret);
  expect(all).not.toContain(key.split("_")[2]);
  expect(all).not.toMatch(/sk-|secret|Bearer/);
  const own = written()
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line))
    .filter((line) => line.account === id);
  expect(own.length).toBeGreaterThanOrEqual(13);
  for (const line of own) {
    for (const field of Object.keys(line)) expect(FIELDS).toContain(field);
    expect(line).toMatchObject({ event: "call", status: expect.stringMatching(/^[a-z_]+$/) });
  }
  expect(own.find((line) => line.status === "provider_failed")).toBeDefined();
  expect(own.find((line) => line.replayed)).toBeDefined();
  expect(own.find((line) => line.cost_nano > 0)).toBeDefined();
});
