import { env, evictDurableObject, runInDurableObject, SELF } from "cloudflare:test";
import type { Client } from "@modelcontextprotocol/client";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { WaypostError } from "../../src/errors.ts";
import { serverFor } from "../../src/mcp/server.ts";
import { listen } from "../../src/mcp/subscriptions.ts";
import { account, agent, MODERN, ORIGIN, rest } from "./client.ts";
import { ask } from "./mcp_ask.ts";
import { configureModels } from "./provider.ts";
import { MCP_HEADERS } from "./refusal.ts";

configureModels();

const bindings = env as unknown as Env;
const vaultOf = (name: string) => bindings.VAULT.get(bindings.VAULT.idFromName(name));
/** Sockets that watch an account's vault. */
const watchers = (name: string): Promise<number> =>
  runInDurableObject(vaultOf(name), (_, state) => state.getWebSockets("watch").length);

const say = async (key: string, session: string, id: string) => {
  const messages = [{ id, role: "user", content: id, created_at: "2026-01-31T12:00:00Z" }];
  const push = [{ id: `a-${id}`, kind: "message.append", session_id: session, messages }];
  const reply = await rest(key, "POST", "/v1/sync", { device_id: "d", push });
  expect(reply.body.outcomes[0].status).toBe("applied");
};
const begin = async (key: string, session: string) => {
  const push = [{ id: `c-${session}`, kind: "session.create", session_id: session, title: session }];
  expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
};
const write = async (key: string, id: string, text: string) =>
  expect((await rest(key, "POST", "/v1/documents", { documents: [{ id, text }] })).status).toBe(200);

/** What a client hears, in order. */
function hearing(client: Client): string[] {
  const heard: string[] = [];
  client.setNotificationHandler("notifications/resources/updated", ({ params }) => void heard.push(params.uri));
  client.setNotificationHandler("notifications/resources/list_changed", () => void heard.push("resources"));
  client.setNotificationHandler("notifications/prompts/list_changed", () => void heard.push("prompts"));
  return heard;
}

describe("a client that listens", () => {
  it("hears of what it asked for, wherever it changed, and of nothing else", async () => {
    const mine = await account();
    await begin(mine.key, "s-1");
    await begin(mine.key, "s-2");
    const client = await agent(mine.key);
    const heard = hearing(client);
    const uris = ["waypost://sessions/s-1", "waypost://documents/guide%2Ftides", "waypost://sessions/later"];
    const stream = await client.listen({ resourceSubscriptions: uris });
    expect(stream.honoredFilter).toEqual({ resourceSubscriptions: uris });
    await say(mine.key, "s-2", "m-0");
    await say(mine.key, "s-1", "m-1");
    await expect.poll(() => heard).toEqual(["waypost://sessions/s-1"]);
    await write(mine.key, "other", "words");
    await write(mine.key, "guide/tides", "words");
    await expect.poll(() => heard.slice(1)).toEqual(["waypost://documents/guide%2Ftides"]);
    // It did not exist when it was asked for.
    await begin(mine.key, "later");
    await expect.poll(() => heard.slice(2)).toEqual(["waypost://sessions/later"]);
    // A chat through the other door.
    const chat = { message: "hi", model: "local/extractive", session_id: "s-1" };
    expect((await rest(mine.key, "POST", "/v1/chat", chat)).status).toBe(200);
    await expect.poll(() => heard.slice(3)).toEqual(["waypost://sessions/s-1"]);
    await stream.close();
    await expect.poll(() => watchers(mine.account)).toBe(0);
    await client.close();
  });

  it("hears of the lists: sessions, documents, templates; not of words in a session", async () => {
    const mine = await account();
    await begin(mine.key, "s");
    const client = await agent(mine.key);
    const heard = hearing(client);
    const stream = await client.listen({ resourcesListChanged: true, promptsListChanged: true });
    await say(mine.key, "s", "m");
    await begin(mine.key, "new");
    await expect.poll(() => heard.filter((each) => each === "resources").length).toBe(1);
    await write(mine.key, "d", "words");
    await expect.poll(() => heard).toEqual(["resources", "resources"]);
    expect((await rest(mine.key, "POST", "/v1/templates", { name: "t", text: "x" })).status).toBe(200);
    await expect.poll(() => heard).toEqual(["resources", "resources", "prompts"]);
    expect((await rest(mine.key, "DELETE", "/v1/templates/t")).status).toBe(200);
    await expect.poll(() => heard.length).toBe(4);
    await stream.close();
    await client.close();
  });

  it("is promised only what it can be told", async () => {
    const { key } = await account("enterprise", { scopes: ["search", "documents:write"] });
    const client = await agent(key);
    const stream = await client.listen({
      toolsListChanged: true,
      promptsListChanged: true,
      resourcesListChanged: true,
      resourceSubscriptions: [
        "waypost://sessions/s",
        "waypost://documents/d",
        "waypost://documents/d",
        "waypost://models",
        "waypost://usage/2026-01",
        "https://example.com/",
      ],
    });
    expect(stream.honoredFilter).toEqual({
      resourcesListChanged: true,
      resourceSubscriptions: ["waypost://documents/d"],
    });
    await stream.close();
    const nothing = await client.listen({ resourceSubscriptions: ["waypost://models"] });
    expect(nothing.honoredFilter).toEqual({});
    expect(await nothing.closed).toBe("graceful");
    await client.close();
  });

  it("hears nothing of another account's things of the same name", async () => {
    const [mine, theirs] = [await account(), await account()];
    const client = await agent(mine.key);
    const heard = hearing(client);
    const stream = await client.listen({
      resourcesListChanged: true,
      promptsListChanged: true,
      resourceSubscriptions: ["waypost://sessions/s", "waypost://documents/d"],
    });
    await begin(theirs.key, "s");
    await write(theirs.key, "d", "words");
    expect((await rest(theirs.key, "POST", "/v1/templates", { name: "t", text: "x" })).status).toBe(200);
    await begin(mine.key, "s");
    await expect.poll(() => heard.length).toBe(2);
    expect(heard.sort()).toEqual(["resources", "waypost://sessions/s"]);
    await stream.close();
    await client.close();
  });

  it("goes on hearing when the vault was put away, and when its connection was cut", async () => {
    const mine = await account();
    await begin(mine.key, "s");
    const client = await agent(mine.key);
    const heard = hearing(client);
    const stream = await client.listen({ resourceSubscriptions: ["waypost://sessions/s"] });
    await expect.poll(() => watchers(mine.account)).toBe(1);
    await evictDurableObject(vaultOf(mine.account));
    await say(mine.key, "s", "m-1");
    await expect.poll(() => heard.length).toBe(1);
    // What is said between the cut and the new connection is not missed.
    await runInDurableObject(vaultOf(mine.account), (_, state) => {
      for (const socket of state.getWebSockets("watch")) socket.close(1012, "moved");
    });
    await say(mine.key, "s", "m-2");
    await expect.poll(() => heard.length, { timeout: 5_000 }).toBe(2);
    await say(mine.key, "s", "m-3");
    await expect.poll(() => heard.length).toBe(3);
    await stream.close();
    await client.close();
  });
});

describe("streams", () => {
  const filter = (notifications: unknown) => ({
    notifications,
    _meta: {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientInfo": { name: "by-hand", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  });
  const asked = (notifications: unknown) => ({
    jsonrpc: "2.0",
    id: "listen:1",
    method: "subscriptions/listen",
    params: filter(notifications),
  });
  const requestOf = (key: string, notifications: unknown) =>
    new Request(`${ORIGIN}/mcp`, {
      method: "POST",
      headers: {
        ...MCP_HEADERS,
        Authorization: `Bearer ${key}`,
        "Content-Type": "application/json",
        "Mcp-Protocol-Version": MODERN,
        "Mcp-Method": "subscriptions/listen",
      },
      body: JSON.stringify(asked(notifications)),
    });

  it("end with their clients: none is left of 100", async () => {
    const mine = await account();
    for (let round = 0; round < 4; round++) {
      const open = await Promise.all(
        Array.from({ length: 25 }, () => SELF.fetch(requestOf(mine.key, { resourcesListChanged: true }))),
      );
      const readers = open.map(({ body }) => (body as ReadableStream<Uint8Array>).getReader());
      await Promise.all(readers.map((reader) => reader.read()));
      expect(await watchers(mine.account)).toBe(25);
      await Promise.all(readers.map((reader) => reader.cancel()));
      await expect.poll(() => watchers(mine.account)).toBe(0);
    }
  });

  it("are limited for one account: the next is told to wait", async () => {
    const mine = await account();
    const readers = await Promise.all(
      Array.from({ length: 64 }, async () => {
        const { body } = await SELF.fetch(requestOf(mine.key, { resourcesListChanged: true }));
        const reader = (body as ReadableStream<Uint8Array>).getReader();
        await reader.read();
        return reader;
      }),
    );
    const refused = await SELF.fetch(requestOf(mine.key, { resourcesListChanged: true }));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(await refused.json()).toMatchObject({ id: "listen:1", error: { data: { code: "rate_limited" } } });
    await readers.pop()?.cancel();
    await expect.poll(() => watchers(mine.account)).toBe(63);
    const again = await SELF.fetch(requestOf(mine.key, { resourcesListChanged: true }));
    expect(again.status).toBe(200);
    await again.body?.cancel();
    await Promise.all(readers.map((reader) => reader.cancel()));
  });

  it.each([[undefined], [5], [[]], [null], [{ resourceSubscriptions: "x" }], [{ resourceSubscriptions: [1] }]])(
    "%j is no filter, and leaves nobody watching",
    async (notifications) => {
      const mine = await account();
      const { status, body } = await ask(mine.key, "subscriptions/listen", { notifications }, true);
      expect(status).toBeLessThan(500);
      expect(body.error).toMatchObject({ code: -32_602 });
      expect(await watchers(mine.account)).toBe(0);
    },
  );

  it("are not for clients of 2025 outside a session", async () => {
    const { key } = await account();
    for (const method of ["subscriptions/listen", "resources/subscribe"]) {
      const { body } = await ask(key, method, { uri: "waypost://sessions/s", notifications: {} }, false);
      expect(["unknown_method", "invalid_input"]).toContain(body.error.data.code);
    }
  });

  const exchange = {
    requestId: "req_test",
    call: async () => {
      throw new Error("listening calls nothing");
    },
  };
  const served = (name: string, key: string, notifications: unknown, recheck: () => Promise<unknown>) =>
    listen(
      bindings,
      requestOf(key, notifications),
      asked(notifications),
      () => serverFor(exchange, { tells: true }),
      { token: name, clientId: name, scopes: [] },
      { account: name, scopes: ["sync", "search"], recheck, recheckMs: 30 },
    );

  it("end in the protocol's way when the credential is not good any more, and not when that cannot be known", async () => {
    const mine = await account();
    let good: WaypostError | undefined = new WaypostError("unavailable", "The ledger did not answer.");
    const response = await served(mine.account, mine.key, { resourcesListChanged: true }, async () => {
      if (good) throw good;
    });
    const text = response.text();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await watchers(mine.account)).toBe(1);
    good = new WaypostError("key_revoked", "Revoked.");
    const frames = (await text).split("\n\n").filter(Boolean);
    expect(frames.at(-1)).toContain('"resultType":"complete"');
    await expect.poll(() => watchers(mine.account)).toBe(0);
  });

  it("keep one notice of each thing for a client that does not read, however often it changes", async () => {
    const mine = await account();
    await begin(mine.key, "s-1");
    await begin(mine.key, "s-2");
    const uris = ["waypost://sessions/s-1", "waypost://sessions/s-2"];
    const response = await served(mine.account, mine.key, { resourceSubscriptions: uris }, async () => {});
    for (let n = 0; n < 200; n++) await say(mine.key, n % 2 ? "s-1" : "s-2", `m-${n}`);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    const frames: string[] = [];
    const read = (async () => {
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const frame = new TextDecoder().decode(next.value);
        // On a slow machine the stream is kept alive meanwhile.
        if (!frame.startsWith(":")) frames.push(frame);
      }
    })();
    await expect.poll(() => frames.length).toBe(3);
    await say(mine.key, "s-1", "last");
    await expect.poll(() => frames.length).toBe(4);
    await reader.cancel();
    await read;
    await expect.poll(() => watchers(mine.account)).toBe(0);
  });
});
