import { env } from "cloudflare:test";
import { Buffer } from "node:buffer";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../src/env.ts";
import { DECIDE_MS } from "../../src/mcp/elicit/rounds.ts";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, agent, owner, rest } from "./client.ts";
import { asking2025, asking2026, codeOf, no, round, yes } from "./elicit_clients.ts";
import { configureModels, servedBy } from "./provider.ts";

configureModels();
(env as unknown as Env).CONFIRM = JSON.stringify({ spend_above_usd: "0.01" });

const ERAS = [
  ["2026", asking2026],
  ["2025", asking2025],
] as const;
/** 1000 tokens in, 500 out at most: $0.0105 times 1.03 of it is known beforehand only as a bound above a cent. */
const DEAR = { message: "How much?", model: "paid/tokens-1000-500", max_tokens: 2000 };
const CHEAP = { ...DEAR, max_tokens: 10 };

async function library() {
  const { key } = await account();
  const documents = [{ id: "notes", title: "My notes", text: "Tea is brewed at eighty degrees." }];
  expect((await rest(key, "POST", "/v1/documents", { documents })).status).toBe(200);
  return key;
}

const isThere = async (key: string) => (await rest(key, "POST", "/v1/fetch", { id: "notes" })).status === 200;

afterEach(() => void vi.useRealTimers());

describe.each(ERAS)("a client of %s whose user can be asked", (_, connect) => {
  it("deletes a document when the user says yes, and is told what the question was", async () => {
    const key = await library();
    const client = await connect(key, () => yes);
    const result = await client.call("delete_document", { id: "notes" });
    expect(codeOf(result)).toBe("ok");
    expect(result.structuredContent).toMatchObject({ id: "notes", deleted: true });
    expect(client.put).toHaveLength(1);
    expect(client.put[0]?.message).toContain('"My notes" (notes)');
    expect(await isThere(key)).toBe(false);
    await client.close();
  });

  it.each(["decline", "cancel"] as const)("deletes nothing when the user answers %s", async (action) => {
    const key = await library();
    const client = await connect(key, () => ({ action }));
    expect(codeOf(await client.call("delete_document", { id: "notes" }))).toBe("declined");
    expect(await isThere(key)).toBe(true);
    await client.close();
  });

  it("asks nobody about what is not there, nor when the caller says that the user agreed", async () => {
    const key = await library();
    const client = await connect(key, () => no);
    expect(codeOf(await client.call("delete_document", { id: "nothing" }))).toBe("not_found");
    expect(codeOf(await client.call("delete_document", { id: "notes", confirm: true }))).toBe("ok");
    expect(client.put).toEqual([]);
    await client.close();
  });

  it("spends more than the threshold only after a yes; less without a question", async () => {
    const { key } = await account();
    const before = await servedBy("tokens-1000-500");
    const never = await connect(key, () => no);
    expect(codeOf(await never.call("chat", DEAR))).toBe("declined");
    expect(never.put[0]?.message).toMatch(/paid\/tokens-1000-500 can cost up to \$0\.0\d+;/);
    expect(await servedBy("tokens-1000-500")).toBe(before);
    const usage = (await rest(key, "GET", "/v1/usage")).body;
    expect([usage.total.cost_nano, usage.tokens.reserved]).toEqual([0, 0]);
    await never.close();
    const always = await connect(key, () => yes);
    expect(codeOf(await always.call("chat", CHEAP))).toBe("ok");
    expect(always.put).toEqual([]);
    const paid = await always.call("chat", DEAR);
    expect([codeOf(paid), always.put.length]).toEqual(["ok", 1]);
    expect(paid._meta?.["waypost/cost-nano-usd"]).toBeGreaterThan(0);
    expect(await servedBy("tokens-1000-500")).toBe(before + 2);
    await always.close();
  });

  it("asks for a session's chat as well, before anything is stored in it", async () => {
    const { key } = await account();
    const client = await connect(key, () => no);
    expect(codeOf(await client.call("chat", { ...DEAR, session_id: "s1" }))).toBe("declined");
    expect((await rest(key, "GET", "/v1/sessions")).body.sessions).toEqual([]);
    await client.close();
  });

  it("settles a true conflict as the user chooses, field by field", async () => {
    const { key } = await account();
    const push = (device_id: string, mutation: object) =>
      rest(key, "POST", "/v1/sync", { device_id, push: [{ session_id: "s", ...mutation }] });
    const made = await push("a", { kind: "session.create", id: "m1", title: "Trip", context: { framing: "Short" } });
    const base_seq = made.body.cursor.seq;
    await push("a", { kind: "session.update", id: "m2", base_seq, title: "Trip to A", context: { framing: "Long" } });
    const mine = {
      kind: "session.update",
      id: "n1",
      session_id: "s",
      base_seq,
      title: "Trip to B",
      context: { framing: "Witty" },
    };
    const client = await connect(key, ({ requestedSchema }) => {
      const names = Object.keys(requestedSchema.properties);
      const content = Object.fromEntries(names.map((name) => [name, /^title/.test(name) ? "yours" : "stored"]));
      return { action: "accept", content };
    });
    const result = await client.call("sync_session", { device_id: "b", push: [mine] });
    expect(result.structuredContent.outcomes).toMatchObject([{ id: "n1", status: "applied" }]);
    expect(client.put).toHaveLength(1);
    const shown = Object.values(client.put[0]?.requestedSchema.properties) as { description: string }[];
    expect(shown.map(({ description }) => description)).toEqual([
      'stored: "Trip to A"; yours: "Trip to B"',
      'stored: "Long"; yours: "Witty"',
    ]);
    const { changes } = (await rest(key, "POST", "/v1/sync", { session_id: "s" })).body;
    expect(changes[0].session).toMatchObject({ title: "Trip to B", context: { framing: "Long" } });
    await client.close();
  });

  it("leaves a conflict as it is when the user declines", async () => {
    const { key } = await account();
    const push = (device_id: string, mutation: object) =>
      rest(key, "POST", "/v1/sync", { device_id, push: [{ session_id: "s", ...mutation }] });
    const base_seq = (await push("a", { kind: "session.create", id: "m1", title: "Trip" })).body.cursor.seq;
    await push("a", { kind: "session.update", id: "m2", base_seq, title: "Trip to A" });
    const mine = { kind: "session.update", id: "n1", session_id: "s", base_seq, title: "Trip to B" };
    const client = await connect(key, () => no);
    const result = await client.call("sync_session", { device_id: "b", push: [mine] });
    expect(codeOf(result)).toBe("ok");
    expect(result.structuredContent.outcomes).toMatchObject([
      { id: "n1", status: "conflict", server: { title: "Trip to A" }, yours: { title: "Trip to B" } },
    ]);
    await client.close();
  });

  /** Two sessions with a message each, and one without. */
  async function conversations() {
    const { key } = await account();
    const said = { parent_id: null, role: "user", content: "Tea?", created_at: "2026-01-31T12:00:00Z" };
    const push = ["one", "two", "none"].flatMap((session_id) => [
      { kind: "session.create", id: `c-${session_id}`, session_id, title: `Talk ${session_id}` },
      ...(session_id === "none"
        ? []
        : [
            {
              kind: "message.append",
              id: `a-${session_id}`,
              session_id,
              messages: [{ ...said, id: `m-${session_id}` }],
            },
          ]),
    ]);
    expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
    return key;
  }
  const lost = [
    { kind: "session.delete", id: "d1", session_id: "one" },
    { kind: "session.clear", id: "d2", session_id: "two" },
    { kind: "session.clear", id: "d3", session_id: "none" },
    { kind: "session.delete", id: "d4", session_id: "never-was" },
  ];
  const left = async (key: string) => {
    const { sessions } = (await rest(key, "GET", "/v1/sessions")).body;
    return sessions
      .map(({ id, message_count }: { id: string; message_count: number }) => `${id} ${message_count}`)
      .sort();
  };

  it("deletes and clears conversations only after a yes, once, and a push that is repeated asks nobody", async () => {
    const key = await conversations();
    const never = await connect(key, () => no);
    expect(codeOf(await never.call("sync_session", { device_id: "d", push: lost }))).toBe("declined");
    expect(never.put[0]?.message).toBe(
      'Delete the conversation "Talk one" (one), all messages of "Talk two" (two), on all devices?',
    );
    expect(await left(key)).toEqual(["none 0", "one 1", "two 1"]);
    await never.close();
    const always = await connect(key, () => yes);
    for (let i = 0; i < 2; i++)
      expect(codeOf(await always.call("sync_session", { device_id: "d", push: lost }))).toBe("ok");
    expect(always.put).toHaveLength(1);
    expect(await left(key)).toEqual(["none 0", "two 0"]);
    await always.close();
  });

  it("asks about a deletion and then about a conflict of the same push, each once", async () => {
    const key = await conversations();
    const { cursor } = (await rest(key, "POST", "/v1/sync", { device_id: "d" })).body;
    const rename = (id: string, title: string) => {
      return { kind: "session.update", id, session_id: "two", base_seq: cursor.seq, title };
    };
    await rest(key, "POST", "/v1/sync", { device_id: "e", push: [rename("u1", "Their talk")] });
    const client = await connect(key, ({ requestedSchema }) => {
      const names = Object.keys(requestedSchema.properties ?? {}).filter((name) => /^title/.test(name));
      return names.length > 0 ? { action: "accept", content: { [names[0] as string]: "yours" } } : yes;
    });
    const push = [lost[0], rename("u2", "My talk")];
    const { structuredContent } = await client.call("sync_session", { device_id: "d", push });
    expect(structuredContent.outcomes).toMatchObject([{ status: "duplicate" }, { status: "applied" }]);
    expect(client.put).toHaveLength(2);
    expect(await left(key)).toEqual(["none 0", "two 1"]);
    await client.close();
  });
});

it.each(DOORS)("nobody is blocked who cannot ask: over %s", async (door) => {
  const key = await library();
  expect((await callThrough(door, key, "delete_document", { id: "notes" })).code).toBe("ok");
  expect((await callThrough(door, key, "chat", DEAR)).code).toBe("ok");
});

describe("the state between rounds", () => {
  const ask = (key: string, how = {}) => round(key, "delete_document", { id: "notes" }, how);

  it("says nothing to who holds it, and ends a call only with a yes", async () => {
    const key = await library();
    const first = await ask(key);
    expect(first.result.resultType).toBe("input_required");
    expect(first.result.inputRequests.decision).toMatchObject({ method: "elicitation/create" });
    expect(Buffer.from(first.state, "base64url").toString("latin1")).not.toContain("notes");
    const again = await ask(key, { state: first.state });
    expect(again.result.resultType).toBe("input_required");
    const nonsense = await ask(key, { state: first.state, response: { action: "perhaps" } });
    expect(nonsense.result?.resultType).toBe("input_required");
    expect(await isThere(key)).toBe(true);
    const done = await ask(key, { state: first.state, response: yes });
    expect(done.result.structuredContent).toMatchObject({ deleted: true });
  });

  it("is refused when it was altered, anywhere in it", async () => {
    const key = await library();
    const { state } = await ask(key);
    for (const place of [0, 15, 16, 40, Math.floor(state.length / 2), state.length - 3]) {
      const other = state[place] === "A" ? "B" : "A";
      const altered = state.slice(0, place) + other + state.slice(place + 1);
      const { error } = await ask(key, { state: altered, response: yes });
      expect([error?.code, error?.data?.code]).toEqual([-32602, "question_closed"]);
    }
    for (const made of ["", "AAAA", "…", "A".repeat(20_000), state + state]) {
      expect((await ask(key, { state: made, response: yes })).error?.data?.code, made.slice(0, 8)).toBe(
        "question_closed",
      );
    }
    expect(await isThere(key)).toBe(true);
  });

  it("is refused for another caller, another account, another input, another tool and another key", async () => {
    const { account: id, key } = await account();
    const documents = ["notes", "other"].map((one) => ({ id: one, text: `Words of ${one}.` }));
    await rest(key, "POST", "/v1/documents", { documents });
    const stranger = await library();
    const colleague = (await rest(await owner(), "POST", "/v1/keys", { name: "second", account: id })).body.api_key;
    const { state } = await ask(key, { idempotencyKey: "k1" });
    const closed = async (reply: Promise<{ error?: { data?: { code: string } } }>) =>
      expect((await reply).error?.data?.code).toBe("question_closed");
    const good = { state, response: yes, idempotencyKey: "k1" };
    await closed(ask(stranger, good));
    await closed(ask(colleague, good));
    await closed(round(key, "delete_document", { id: "other" }, good));
    await closed(round(key, "chat", { message: "Hello" }, good));
    await closed(ask(key, { ...good, idempotencyKey: "k2" }));
    await closed(ask(key, { state, response: yes }));
    expect(await isThere(key)).toBe(true);
    expect(await isThere(stranger)).toBe(true);
    expect((await ask(key, good)).result.structuredContent).toMatchObject({ deleted: true });
  });

  it("is told as an unknown credential first", async () => {
    const key = await library();
    const { state } = await ask(key);
    const reply = await round(`${key.slice(0, -4)}zzzz`, "delete_document", { id: "notes" }, { state, response: yes });
    expect(reply.status).toBe(401);
  });

  it("counts once: a repeated yes is told the first result, and nothing is spent again", async () => {
    const { key } = await account();
    const before = await servedBy("tokens-1000-500");
    const first = await round(key, "chat", DEAR);
    const paid = await round(key, "chat", DEAR, { state: first.state, response: yes });
    expect(paid.result.structuredContent.text).not.toBe("");
    const replays = await Promise.all(
      [1, 2, 3].map(() => round(key, "chat", DEAR, { state: first.state, response: yes })),
    );
    for (const { result } of replays) {
      expect(result._meta["waypost/idempotency-replayed"]).toBe(true);
      expect(result.structuredContent.id).toBe(paid.result.structuredContent.id);
    }
    expect(await servedBy("tokens-1000-500")).toBe(before + 1);
  });

  it("is over after a while", async () => {
    const key = await library();
    const { state } = await ask(key);
    const now = Date.now();
    vi.useFakeTimers({ toFake: ["Date"], now: now + DECIDE_MS + 1 });
    const late = await ask(key, { state, response: yes });
    expect(late.error?.data?.code).toBe("question_closed");
    vi.setSystemTime(now + DECIDE_MS - 5_000);
    expect((await ask(key, { state, response: yes })).result.structuredContent).toMatchObject({ deleted: true });
  });

  it("an agreed amount covers no dearer call", async () => {
    const { key } = await account();
    const first = await round(key, "chat", DEAR);
    const dearer = await round(key, "chat", { ...DEAR, max_tokens: 4000 }, { state: first.state, response: yes });
    expect(dearer.error?.data?.code).toBe("question_closed");
  });
});

it("a call of a client without forms is not asked, whatever state it brings", async () => {
  const key = await library();
  const client = await agent(key);
  const result = await client.callTool({ name: "delete_document", arguments: { id: "notes" } });
  expect(result.isError).toBeFalsy();
  await client.close();
});
