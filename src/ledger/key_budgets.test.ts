import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Bench, HOLD, KEY, START, withLedger } from "../../test/ledger_bench.ts";
import { randomFrom } from "../../test/random.ts";
import { unwrap } from "../errors.ts";
import { LEASE_MS } from "./ledger_parts.ts";
import type { AdmitReply, HoldRequest, KeyBudget } from "./types.ts";

/** 100 tokens in and 100 out at the prices of the test: the worst case of one call. */
const WORST = 309_000;
const chat = { tool: "chat", scope: "chat", metered: true, hold: HOLD };
const whole = { ...chat, hold: { ...HOLD, minOutputTokens: HOLD.maxOutputTokens } };

function budgeted({ ledger }: Bench, nano_usd: number, period: KeyBudget["period"] = "total", id = "key_2") {
  unwrap(ledger.keys.create({ ...KEY, id, hash: `hash-${id}`, budget: { nano_usd, period } }, START));
  return { caller: { keyHash: `hash-${id}` } };
}
const budgetOf = ({ ledger }: Bench, id = "key_2") => ledger.keys.list().find((key) => key.id === id)?.budget;
const code = (reply: AdmitReply) => (reply.kind === "refused" ? reply.code : reply.kind);
const done = (bench: Bench, callId: string, output: number, hold: HoldRequest = HOLD) =>
  bench.settle(callId, { keyId: "key_2", hold, usage: { input: 100, output }, model: HOLD.model });

describe("a key's budget", () => {
  it("admits exactly what fits of 100 parallel calls, whoever pays, and names what is spent, held and left", () =>
    withLedger("enterprise", async (bench) => {
      const by = budgeted(bench, 7 * WORST + 5, "month");
      const replies = await Promise.all(
        Array.from({ length: 100 }, (_, i) => bench.admit({ ...whole, ...by, callId: `c${i}` })),
      );
      expect(replies.filter(({ kind }) => kind === "admitted")).toHaveLength(7);
      expect(budgetOf(bench)).toMatchObject({ spent_nano: 0, reserved_nano: 7 * WORST });
      unwrap(await done(bench, "c0", 100));
      expect(await bench.admit({ ...whole, ...by, callId: "more" })).toMatchObject({
        kind: "refused",
        code: "budget_exceeded",
        extras: {
          key_id: "key_2",
          budget_nano_usd: 7 * WORST + 5,
          budget_period: "month",
          spent_nano_usd: WORST,
          reserved_nano_usd: 6 * WORST,
          resets_at: "2026-07-01T00:00:00.000Z",
        },
      });
      expect(code(await bench.admit({ ...whole, callId: "other key" }))).toBe("admitted");
    }));

  it("cuts the output to what is left of it, and gives back what was not used", () =>
    withLedger("free", async (bench) => {
      const by = budgeted(bench, 206_000);
      expect(await bench.admit({ ...chat, ...by, callId: "c1" })).toMatchObject({ grantedOutputTokens: 50 });
      expect(code(await bench.admit({ ...chat, ...by, callId: "c2" }))).toBe("budget_exceeded");
      unwrap(await done(bench, "c1", 10));
      expect(budgetOf(bench)).toMatchObject({ spent_nano: 123_600, reserved_nano: 0 });
    }));

  it("holds what is reserved after the admission to it too", () =>
    withLedger("free", async (bench) => {
      const by = budgeted(bench, WORST - 1);
      await bench.admit({ ...chat, ...by, hold: undefined, callId: "c1" });
      const facts = { account: bench.account, callId: "c1", tool: "chat", via: "rest" as const, keyId: "key_2" };
      expect(bench.ledger.reserve({ ...facts, hold: whole.hold })).toMatchObject({
        ok: false,
        code: "budget_exceeded",
      });
      expect(unwrap(bench.ledger.reserve({ ...facts, hold: HOLD })).grantedOutputTokens).toBe(99);
    }));

  it("lets calls through that cost nothing when it is used up", () =>
    withLedger("free", async (bench) => {
      const by = budgeted(bench, 0);
      const free = { ...HOLD, price: { input: 0, output: 0 } };
      expect(code(await bench.admit({ ...chat, ...by, callId: "c1" }))).toBe("budget_exceeded");
      expect(code(await bench.admit({ ...chat, ...by, callId: "c2", hold: free }))).toBe("admitted");
      expect(code(await bench.admit({ ...by, callId: "c3" }))).toBe("admitted");
    }));

  it("of a month starts anew with it, of a total never; a crashed call's share comes back; all over restarts", () =>
    withLedger("free", async (first) => {
      const monthly = budgeted(first, 2 * WORST, "month");
      const total = budgeted(first, 2 * WORST, "total", "key_3");
      for (const [id, by] of [
        ["key_2", monthly],
        ["key_3", total],
      ] as const) {
        await first.admit({ ...whole, ...by, callId: `a${id}` });
        unwrap(await first.settle(`a${id}`, { keyId: id, hold: HOLD, usage: { input: 100, output: 100 }, model: "m" }));
        await first.admit({ ...whole, ...by, callId: `b${id}` });
      }
      const second = await first.restart();
      expect(budgetOf(second)).toMatchObject({ spent_nano: WORST, reserved_nano: WORST });
      expect(code(await second.admit({ ...whole, ...monthly, callId: "c" }))).toBe("budget_exceeded");
      second.clock.now += LEASE_MS;
      await second.ledger.onAlarm(env.DB);
      expect(budgetOf(second)).toMatchObject({ spent_nano: WORST, reserved_nano: 0 });

      second.clock.now = Date.UTC(2026, 6, 1);
      await second.admit({ callId: "turns the month" });
      expect(budgetOf(second)).toMatchObject({ spent_nano: 0, resets_at: "2026-08-01T00:00:00.000Z" });
      expect(budgetOf(second, "key_3")).toMatchObject({ spent_nano: WORST, resets_at: null });
      const third = await second.restart();
      expect(budgetOf(third)).toMatchObject({ spent_nano: 0 });
      expect(budgetOf(third, "key_3")).toMatchObject({ spent_nano: WORST });
    }));

  it("given later counts what was spent before, written or not", () =>
    withLedger("free", async (bench) => {
      const settle = (callId: string) =>
        bench.settle(callId, { hold: HOLD, usage: { input: 100, output: 100 }, model: HOLD.model });
      for (const callId of ["c1", "c2"]) await bench.admit({ ...whole, callId });
      // The second waits in memory while the first is on its way to the disk.
      const settling = Promise.all([settle("c1"), settle("c2")]);
      const budget = { nano_usd: 2 * WORST, period: "month" as const };
      const changed = bench.ledger.keys.update("key_1", { budget }, bench.clock.now);
      expect(unwrap(changed).budget).toMatchObject({ spent_nano: 2 * WORST });
      await settling;
      expect(code(await bench.admit({ ...whole, callId: "c3" }))).toBe("budget_exceeded");
      unwrap(bench.ledger.keys.update("key_1", { budget: null }, bench.clock.now));
      expect(code(await bench.admit({ ...whole, callId: "c4" }))).toBe("admitted");
    }));

  it("is shared with the keys made by it", () =>
    withLedger("free", async (bench) => {
      const by = budgeted(bench, 2 * WORST);
      const author = { keyId: "key_2", user: KEY.user, scopes: KEY.scopes };
      const child = {
        ...KEY,
        id: "key_3",
        hash: "hash-key_3",
        budget: { nano_usd: 2 * WORST, period: "total" as const },
      };
      unwrap(bench.ledger.keys.create(child, START, author));
      const ofChild = { caller: { keyHash: "hash-key_3" } };
      expect(code(await bench.admit({ ...whole, ...by, callId: "c1" }))).toBe("admitted");
      expect(code(await bench.admit({ ...whole, ...ofChild, callId: "c2" }))).toBe("admitted");
      const refused = await bench.admit({ ...whole, ...ofChild, callId: "c3" });
      expect(refused).toMatchObject({ code: "budget_exceeded", extras: { key_id: "key_2" } });
      const awake = await bench.restart();
      expect(budgetOf(awake)).toMatchObject({ reserved_nano: 2 * WORST });
      expect(budgetOf(awake, "key_3")).toMatchObject({ reserved_nano: WORST });
    }));

  it.each([1, 2, 3, 4])("is never overspent by any history of calls, restarts and failures (seed %i)", (seed) =>
    withLedger("enterprise", async (first) => {
      const next = randomFrom(seed);
      const nano = 40 * WORST;
      const by = budgeted(first, nano);
      let bench = first;
      const open: { callId: string; granted: number }[] = [];
      let refusals = 0;
      for (let i = 0; i < 600; i++) {
        bench.clock.now += 1_000;
        if (next() < 0.02) bench = await bench.restart();
        if (next() < 0.6) {
          const callId = `${seed}-${i}`;
          const reply = await bench.admit({ ...chat, ...by, callId });
          if (reply.kind === "admitted") open.push({ callId, granted: reply.grantedOutputTokens ?? 0 });
          else refusals++;
        } else {
          const call = open.splice(Math.floor(next() * open.length), 1)[0];
          if (!call) continue;
          const { callId, granted } = call;
          if (next() < 0.2) await bench.settle(callId, { keyId: "key_2", hold: HOLD, error: "provider_failed" });
          else await done(bench, callId, Math.floor(next() * (granted + 1)));
        }
        const { spent_nano = 0, reserved_nano = 0 } = budgetOf(bench) ?? {};
        expect(spent_nano + reserved_nano).toBeLessThanOrEqual(nano);
      }
      expect(refusals).toBeGreaterThan(0);
    }),
  );
});
