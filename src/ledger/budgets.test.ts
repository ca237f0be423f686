import { describe, expect, it } from "vitest";
import { type Bench, HOLD, KEY, START, withLedger } from "../../test/ledger_bench.ts";
import { randomFrom } from "../../test/random.ts";
import { unwrap } from "../errors.ts";
import { periodAt } from "./budget_periods.ts";
import type { Budget } from "./budget_types.ts";
import type { AdmitReply } from "./types.ts";

/** 100 tokens in and 100 out at the prices of the bench: the worst case of one call, nano-USD. */
const WORST = 309_000;
const HOUR = 3_600_000;
const chat = { tool: "chat", scope: "chat", metered: true, hold: { ...HOLD, minOutputTokens: HOLD.maxOutputTokens } };
const MONTHLY = { nano_usd: 10 * WORST, period: "month", kind: "hard" } as const;

const set = (bench: Bench, budget: Partial<Budget> & { id: string }) =>
  bench.ledger.budgets.set({ ...MONTHLY, ...budget }, bench.clock.now).then(unwrap);
const stateOf = (bench: Bench, id: string) => bench.ledger.listBudgets().find((budget) => budget.id === id);
const code = (reply: AdmitReply) => (reply.kind === "refused" ? reply.code : reply.kind);
const settle = (bench: Bench, callId: string, keyId = KEY.id, tool = "chat") =>
  bench.settle(callId, {
    tool,
    metered: true,
    keyId,
    hold: HOLD,
    usage: { input: 100, output: 100 },
    model: HOLD.model,
    durationMs: 0,
  });

/** A whole call of the worst case. */
async function spend(bench: Bench, callId: string, by: { keyId?: string; tool?: string } = {}): Promise<string> {
  const { keyId = KEY.id, tool = "chat" } = by;
  const caller = { keyHash: keyId === KEY.id ? KEY.hash : `hash-${keyId}` };
  const reply = await bench.admit({ ...chat, tool, caller, callId });
  if (reply.kind === "admitted") unwrap(await settle(bench, callId, keyId, tool));
  return code(reply);
}

function secondKey(bench: Bench, over: Partial<typeof KEY> = {}): void {
  unwrap(bench.ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-key_2", ...over }, START));
}

describe("a budget", () => {
  it("for 10 admits exactly 10 of 200 parallel calls; idle, nothing is held and the books agree", () =>
    withLedger("enterprise", async (bench) => {
      await set(bench, { id: "all", nano_usd: 11 * WORST - 1 });
      const calls = Array.from({ length: 200 }, (_, i) => `c${i}`);
      const replies = await Promise.all(calls.map((callId) => bench.admit({ ...chat, callId })));
      const admitted = calls.filter((_, i) => replies[i]?.kind === "admitted");
      expect(admitted).toHaveLength(10);
      expect(new Set(replies.map(code))).toEqual(new Set(["admitted", "budget_exceeded"]));
      expect(stateOf(bench, "all")).toMatchObject({ spent_nano: 0, reserved_nano: 10 * WORST });
      await Promise.all(admitted.map((callId) => settle(bench, callId)));
      expect(stateOf(bench, "all")).toMatchObject({ spent_nano: 10 * WORST, reserved_nano: 0 });
      const books = unwrap(await bench.ledger.audit());
      expect(books).toMatchObject({ consistent: true, reserved_nano: 0, open_holds: 0, settled_cost_nano: 10 * WORST });
      expect(books.balance_nano).toBe(books.entries_sum_nano);
    }));

  it("counts what it is of: a key with its offspring, a tool, or one with the other; the tightest decides", () =>
    withLedger("enterprise", async (bench) => {
      secondKey(bench);
      await set(bench, { id: "all", nano_usd: 6 * WORST });
      await set(bench, { id: "of-key", key_id: "key_2", nano_usd: 3 * WORST });
      await set(bench, { id: "of-tool", tool: "chat", nano_usd: 5 * WORST });
      await set(bench, { id: "of-both", tool: "chat", key_id: "key_2", nano_usd: 2 * WORST });
      const offspring = { ...KEY, id: "key_3", hash: "hash-key_3" };
      unwrap(bench.ledger.keys.create(offspring, START, { keyId: "key_2", user: KEY.user, scopes: KEY.scopes }));

      expect(await spend(bench, "c1", { keyId: "key_2" })).toBe("admitted");
      expect(await spend(bench, "c2", { keyId: "key_3" })).toBe("admitted");
      expect(await bench.admit({ ...chat, callId: "c3", caller: { keyHash: "hash-key_3" } })).toMatchObject({
        code: "budget_exceeded",
        extras: { budget_id: "of-both", key_id: "key_2", tool: "chat", spent_nano_usd: 2 * WORST },
      });
      expect(await spend(bench, "c4", { keyId: "key_2", tool: "rewrite" })).toBe("admitted");
      expect(await spend(bench, "c5", { keyId: "key_2", tool: "rewrite" })).toBe("budget_exceeded");
      expect(await spend(bench, "c6")).toBe("admitted");
      const awake = await bench.restart();
      const spent = awake.ledger.listBudgets().map(({ id, spent_nano }) => [id, spent_nano / WORST]);
      expect(spent).toEqual([
        ["all", 4],
        ["of-both", 2],
        ["of-key", 3],
        ["of-tool", 3],
      ]);
      unwrap(awake.ledger.budgets.remove("of-both"));
      unwrap(awake.ledger.budgets.remove("of-key"));
      expect(await spend(awake, "c7", { keyId: "key_2" })).toBe("admitted");
      expect(await (await awake.restart()).ledger.listBudgets().map(({ id }) => id)).toEqual(["all", "of-tool"]);
    }));

  it("of `chat` counts every way to chat, before it was set too, and nothing else", () =>
    withLedger("enterprise", async (bench) => {
      const ways = ["chat", "chat_completions", "messages", "responses"];
      for (const tool of [...ways, "embeddings", "enhance_prompt"]) await spend(bench, `before ${tool}`, { tool });
      await set(bench, { id: "chats", tool: "chat", nano_usd: 8 * WORST });
      await set(bench, { id: "one-way", tool: "messages" });
      for (const awake of [bench, await bench.restart()]) {
        expect(stateOf(awake, "chats")).toMatchObject({ spent_nano: 4 * WORST });
        expect(stateOf(awake, "one-way")).toMatchObject({ spent_nano: WORST });
      }
      for (const tool of ways) expect(await spend(bench, `after ${tool}`, { tool })).toBe("admitted");
      for (const tool of ways) expect(await spend(bench, `over ${tool}`, { tool })).toBe("budget_exceeded");
      for (const tool of ["embeddings", "enhance_prompt"]) {
        expect(await spend(bench, `other ${tool}`, { tool })).toBe("admitted");
      }
    }));

  it("of a grant or token is set once that was heard of, or is known to exist", () =>
    withLedger("enterprise", async (bench) => {
      const caller = { verified: { id: "jwt_1", user: KEY.user, scopes: ["usage"] } };
      const of = (key_id: string, exists?: boolean) =>
        bench.ledger.budgets.set({ ...MONTHLY, id: "b", key_id }, bench.clock.now, undefined, exists);
      expect(await of("jwt_1")).toMatchObject({ code: "not_found" });
      await bench.admit({ caller });
      expect(await of("jwt_1")).toMatchObject({ ok: true });
      expect(await of("grant_1")).toMatchObject({ code: "not_found" });
      expect(await of("grant_1", true)).toMatchObject({ ok: true });
    }));

  it("that is soft refuses nothing", () =>
    withLedger("enterprise", async (bench) => {
      await set(bench, { id: "soft", kind: "soft", nano_usd: WORST });
      for (const callId of ["c1", "c2", "c3"]) expect(await spend(bench, callId)).toBe("admitted");
      expect(stateOf(bench, "soft")).toMatchObject({ spent_nano: 3 * WORST });
    }));

  it("begins anew when the day of its time zone does, and a restart counts the same", () =>
    withLedger("enterprise", async (bench) => {
      // Clocks in Berlin go back on 2026-10-25: its day has 25 hours, from 22:00 UTC the day before to 23:00.
      bench.clock.now = Date.UTC(2026, 9, 24, 21, 59);
      await set(bench, { id: "day", period: "day", time_zone: "Europe/Berlin", nano_usd: 2 * WORST });
      expect([await spend(bench, "a1"), await spend(bench, "a2"), await spend(bench, "a3")]).toEqual([
        "admitted",
        "admitted",
        "budget_exceeded",
      ]);
      bench.clock.now = Date.UTC(2026, 9, 24, 22);
      expect(await spend(bench, "b1")).toBe("admitted");
      const restarted = await bench.restart();
      expect(stateOf(restarted, "day")).toMatchObject({
        spent_nano: WORST,
        began_at: "2026-10-24T22:00:00.000Z",
        resets_at: "2026-10-25T23:00:00.000Z",
      });
      restarted.clock.now = Date.UTC(2026, 9, 25, 22, 59);
      expect([await spend(restarted, "b2"), await spend(restarted, "b3")]).toEqual(["admitted", "budget_exceeded"]);
      restarted.clock.now = Date.UTC(2026, 9, 25, 23);
      expect(stateOf(restarted, "day")).toMatchObject({ spent_nano: 0 });
      expect(await spend(restarted, "c1")).toBe("admitted");
    }));

  it("counts a call in the period in which it began, over a restart too", () =>
    withLedger("enterprise", async (bench) => {
      await set(bench, { id: "day", period: "day", time_zone: "Asia/Kathmandu" });
      bench.clock.now = Date.UTC(2026, 5, 15, 18, 15);
      expect(stateOf(bench, "day")).toMatchObject({ began_at: "2026-06-15T18:15:00.000Z", spent_nano: 0 });
      const ended = { hold: HOLD, usage: { input: 100, output: 100 }, model: HOLD.model };
      await bench.settle("before", { ...ended, durationMs: 1 });
      expect(stateOf(bench, "day")).toMatchObject({ spent_nano: 0 });
      await bench.settle("within", { ...ended, durationMs: 0 });
      expect(stateOf(bench, "day")).toMatchObject({ spent_nano: WORST });
      expect(stateOf(await bench.restart(), "day")).toMatchObject({ spent_nano: WORST });
    }));

  it.each([1, 2, 3])("is spent by exactly the calls of its period, in any zone, set at any time (seed %i)", (seed) =>
    withLedger("enterprise", async (first) => {
      const next = randomFrom(seed);
      const rules: (Partial<Budget> & { id: string })[] = [
        { id: "a", period: "day", time_zone: "Asia/Kathmandu" },
        { id: "b", period: "week", time_zone: "America/New_York", reset_day: 4 },
        { id: "c", period: "month", time_zone: "Pacific/Chatham", reset_day: 20 },
        { id: "d", period: "month" },
        { id: "e", period: "total", time_zone: "Europe/Berlin" },
      ];
      const soft = rules.map((rule) => ({ ...MONTHLY, ...rule, kind: "soft" as const }));
      const times: number[] = [];
      let bench = first;
      for (let i = 0; i < 120; i++) {
        bench.clock.now += Math.floor(next() * 30 * HOUR);
        if (i % 20 === 10)
          unwrap(await bench.ledger.budgets.set(soft[(i - 10) / 20] ?? (soft[0] as Budget), bench.clock.now));
        if (next() < 0.1) bench = await bench.restart();
        expect(await spend(bench, `${seed}-${i}`)).toBe("admitted");
        times.push(bench.clock.now);
        for (const state of bench.ledger.listBudgets()) {
          const { start } = periodAt(state, bench.clock.now);
          const within = times.filter((at) => start === null || at >= start).length;
          expect([state.id, i, state.spent_nano / WORST]).toEqual([state.id, i, within]);
        }
      }
      expect(bench.ledger.listBudgets()).toHaveLength(5);
    }),
  );
});

describe("setting budgets", () => {
  it.each<[string, Partial<Budget>, string]>([
    ["an id of a key's form", { id: "key_9" }, "invalid_input"],
    ["an id of other characters", { id: "A b" }, "invalid_input"],
    ["an unknown time zone", { time_zone: "Mars/Olympus" }, "invalid_input"],
    ["a reset day of no week", { period: "week", reset_day: 8 }, "invalid_input"],
    ["a reset day of a day", { period: "day", reset_day: 1 }, "invalid_input"],
    ["an unknown key", { key_id: "key_9" }, "not_found"],
    ["an unknown grant", { key_id: "grant_typo" }, "not_found"],
    ["an unknown token", { key_id: "jwt_typo" }, "not_found"],
    ["a key's own", { id: KEY.id }, "conflict"],
  ])("refuses %s and changes nothing", (_, over, expected) =>
    withLedger("free", async (bench) => {
      const made = await bench.ledger.budgets.set({ ...MONTHLY, id: "b", ...over }, START);
      expect(made).toMatchObject({ ok: false, code: expected });
      expect(bench.ledger.listBudgets()).toEqual([]);
    }),
  );

  it("replaces the one with the id, and keeps at most 100", () =>
    withLedger("free", async (bench) => {
      for (let i = 0; i < 100; i++) await set(bench, { id: `b${i}` });
      expect(await set(bench, { id: "b7", nano_usd: 5 })).toMatchObject({ nano_usd: 5 });
      expect(await bench.ledger.budgets.set({ ...MONTHLY, id: "more" }, START)).toMatchObject({ code: "conflict" });
      expect(bench.ledger.listBudgets()).toHaveLength(100);
    }));

  it("is not for who is bounded, except for keys they made; a budget bounds its key", () =>
    withLedger("enterprise", async (bench) => {
      secondKey(bench);
      await set(bench, { id: "all" });
      await set(bench, { id: "mine", key_id: "key_2" });
      const by = { keyId: "key_2", user: KEY.user, scopes: KEY.scopes };
      unwrap(bench.ledger.keys.create({ ...KEY, id: "key_3", hash: "hash-key_3" }, START, by));
      const trySet = (budget: Partial<Budget> & { id: string }) =>
        bench.ledger.budgets.set({ ...MONTHLY, ...budget }, START, by);
      for (const budget of [
        { id: "all" },
        { id: "new" },
        { id: "mine", key_id: "key_2" },
        { id: "mine", key_id: "key_3" },
        { id: "other", key_id: "key_1" },
      ]) {
        expect(await trySet(budget)).toMatchObject({ code: "exceeds_own_key" });
      }
      for (const id of ["all", "mine"]) {
        expect(bench.ledger.budgets.remove(id, by)).toMatchObject({ code: "exceeds_own_key" });
      }
      unwrap(await trySet({ id: "child", key_id: "key_3" }));
      unwrap(bench.ledger.budgets.remove("child", by));
      expect(bench.ledger.listBudgets().map(({ id }) => id)).toEqual(["all", "mine"]);
      // The key it made shares its budget.
      for (let i = 0; i < 10; i++) expect(await spend(bench, `c${i}`, { keyId: "key_3" })).toBe("admitted");
      expect(await spend(bench, "over", { keyId: "key_2" })).toBe("budget_exceeded");
    }));

  it("shows a key's own among them, which is changed with the key", () =>
    withLedger("free", async (bench) => {
      secondKey(bench, { budget: { nano_usd: WORST, period: "total" } } as never);
      expect(await spend(bench, "c1", { keyId: "key_2" })).toBe("admitted");
      expect(bench.ledger.listBudgets()).toMatchObject([
        { id: "key_2", key_id: "key_2", kind: "hard", spent_nano: WORST, resets_at: null },
      ]);
      expect(bench.ledger.budgets.remove("key_2")).toMatchObject({ code: "conflict" });
      unwrap(bench.ledger.keys.update("key_2", { budget: null }, START));
      expect(bench.ledger.listBudgets()).toEqual([]);
    }));
});
