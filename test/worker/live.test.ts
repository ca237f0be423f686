import { env, runDurableObjectAlarm, SELF } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { Grants } from "../../src/auth/oauth/grants.ts";
import type { Env } from "../../src/env.ts";
import { account, ORIGIN, owner, rest } from "./client.ts";
import { client, connect } from "./oauth_flow.ts";
import { configureModels } from "./provider.ts";

configureModels();

const { RUNS } = env as unknown as Env;
const alarmOf = (name: string) => runDurableObjectAlarm(RUNS.get(RUNS.idFromName(name)));

async function open(key: string, session = "s", headers: Record<string, string> = {}) {
  const response = await SELF.fetch(`${ORIGIN}/v1/sessions/${session}/live`, {
    headers: { Upgrade: "websocket", Authorization: `Bearer ${key}`, ...headers },
  });
  const socket = response.webSocket;
  const heard: { type: string; text?: string }[] = [];
  let closed: (closing: { code: number; reason: string }) => void = () => {};
  const closing = new Promise<{ code: number; reason: string }>((resolve) => {
    closed = resolve;
  });
  socket?.addEventListener("message", ({ data }) => void heard.push(JSON.parse(String(data))));
  socket?.addEventListener("close", ({ code, reason }) => closed({ code, reason }));
  socket?.accept();
  return { response, socket, heard, closing };
}

describe("a device that listens to a session", () => {
  it("is told who it hears first of all", async () => {
    const { key } = await account();
    const { response, socket, heard } = await open(key, "first", { Origin: "https://page.example" });
    expect(response.status).toBe(101);
    await expect.poll(() => heard).toEqual([{ type: "listening", session_id: "first" }]);
    socket?.close();
  });

  it("is closed when its key is revoked, at the next look", async () => {
    const mine = await account();
    const { closing } = await open(mine.key);
    expect(await alarmOf(mine.account)).toBe(true);
    const revoked = await rest(await owner(), "DELETE", `/v1/keys/${mine.keyId}?account=${mine.account}`);
    expect(revoked.status).toBe(200);
    expect(await alarmOf(mine.account)).toBe(true);
    expect((await closing).code).toBe(4401);
  });

  it("stays while its grant stands, and is closed when the app is disconnected", async () => {
    const mine = await account();
    const { user } = (await rest(await owner(), "GET", `/v1/admin/accounts/${mine.account}`)).body;
    const token = await connect({ user, account: mine.account }, { client: await client(), resource: `${ORIGIN}/v1` });
    const { closing, socket } = await open(token.access_token);
    expect(socket).toBeTruthy();
    expect(await alarmOf(mine.account)).toBe(true);
    expect(socket?.readyState).toBe(WebSocket.OPEN);
    expect(await new Grants(env as unknown as Env).revokeAll(user)).toBe(1);
    expect(await alarmOf(mine.account)).toBe(true);
    expect((await closing).code).toBe(4401);
  });
});

it("a device that does not say what it has seen is closed, and told to pull", async () => {
  const { key } = await account();
  const { closing, heard } = await open(key, "lagging");
  const message = `${"x".repeat(99)} `.repeat(4_000);
  const answer = await rest(key, "POST", "/v1/chat", {
    message,
    model: "paid/echo",
    session_id: "lagging",
    stream: true,
  });
  expect(answer.status).toBe(200);
  expect(await closing).toEqual({ code: 4408, reason: "Too far behind: pull the session with sync_session." });
  expect(heard.length).toBeLessThan(1_000);
});

describe("what is refused", () => {
  it.each([
    ["no WebSocket", { Upgrade: "" }, "s", 400, "invalid_header"],
    ["no id of a session", {}, "a.b", 400, "invalid_input"],
    ["no credential", { Authorization: "Bearer wp_x" }, "s", 401, "unauthenticated"],
  ])("%s", async (_, headers, session, status, code) => {
    const { key } = await account();
    const { response } = await open(key, session, headers);
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([status, code]);
  });

  it("a key without the scope", async () => {
    const { key } = await account("enterprise", { scopes: ["chat"] });
    expect((await open(key)).response.status).toBe(403);
  });
});
