import { describe, expect, it } from "vitest";
import { type Bench, HOLD, KEY, withLedger } from "../../test/ledger_bench.ts";
import { randomFrom } from "../../test/random.ts";
import { unwrap } from "../errors.ts";
import { THRESHOLDS } from "./budget_types.ts";

const WORST = 309_000;
const HOUR = 3_600_000;

const settle = (bench: Bench, callId: string, usage = { input: 100, output: 100 }) =>
  bench.settle(callId, { hold: HOLD, usage, model: HOLD.model, durationMs: 0 });
const given = (bench: Bench) =>
  bench.ledger.notices
    .newest(100)
    .reverse()
    .map(({ type, data }) => `${type} ${data.budget_id ?? data.plan ?? ""} ${data.threshold}`);
const setBudget = (bench: Bench, nano_usd: number, over: object = {}) =>
  bench.ledger.budgets.set({ id: "b", kind: "soft", period: "month", nano_usd, ...over }, bench.clock.now).then(unwrap);

describe("notices", () => {
  it("are given of a budget at 50, 80 and 100 %, once each, over parallel calls and restarts", () =>
    withLedger("enterprise", async (first) => {
      await setBudget(first, 10 * WORST);
      await Promise.all(["c1", "c2", "c3", "c4"].map((id) => settle(first, id)));
      expect(given(first)).toEqual([]);
      await settle(first, "c5");
      expect(given(first)).toEqual(["budget.threshold b 50"]);
      const second = await first.restart();
      await Promise.all(["c6", "c7", "c8", "c9", "c10", "c11"].map((id) => settle(second, id)));
      const all = [50, 80, 100].map((threshold) => `budget.threshold b ${threshold}`);
      expect(given(second)).toEqual(all);
      const third = await second.restart();
      await settle(third, "c12");
      expect(given(third)).toEqual(all);
      const usage = await third.admit({ reads: { recent: 0 } });
      expect(usage).toMatchObject({
        usage: {
          notices: [
            {
              type: "budget.threshold",
              data: { threshold: 100, nano_usd: 10 * WORST, resets_at: "2026-07-01T00:00:00.000Z" },
              deliveries: [],
            },
            {},
            {},
          ],
        },
      });
    }));

  it("are given anew in a new period and of a new amount, and at once when a budget is set that is used already", () =>
    withLedger("enterprise", async (bench) => {
      await settle(bench, "c1");
      await setBudget(bench, WORST + 1, { period: "day", time_zone: "Asia/Tokyo" });
      expect(given(bench)).toHaveLength(2);
      await setBudget(bench, WORST, { period: "day", time_zone: "Asia/Tokyo" });
      expect(given(bench)).toHaveLength(5);
      await setBudget(bench, WORST, { period: "day", time_zone: "Asia/Tokyo" });
      expect(given(bench)).toHaveLength(5);
      bench.clock.now += 24 * HOUR;
      await settle(bench, "c2");
      expect(given(bench)).toHaveLength(8);
      await setBudget(bench, 0);
      expect(given(bench)).toHaveLength(8);
    }));

  it("of what crossed a threshold just before the period ended are of that period", () =>
    withLedger("enterprise", async (bench) => {
      await setBudget(bench, 2 * WORST, { period: "day" });
      bench.clock.now = Date.UTC(2026, 5, 15, 23, 59, 59);
      const written = settle(bench, "c1");
      const waiting = settle(bench, "c2");
      bench.clock.now = Date.UTC(2026, 5, 16);
      expect(bench.ledger.listBudgets()).toMatchObject([{ spent_nano: 0 }]);
      await Promise.all([written, waiting]);
      expect(bench.ledger.notices.newest(9).map(({ data }) => data.resets_at)).toEqual(
        Array(3).fill("2026-06-16T00:00:00.000Z"),
      );
    }));

  it("are given of the plan's tokens, each month", () =>
    withLedger("free", async (bench) => {
      const use = (callId: string, input: number) => settle(bench, callId, { input, output: 0 });
      await use("c1", 499_999);
      expect(given(bench)).toEqual([]);
      await use("c2", 1);
      expect(given(bench)).toEqual(["plan_tokens.threshold free 50"]);
      await use("c3", 500_000);
      expect(given(bench)).toHaveLength(3);
      bench.clock.now = Date.UTC(2026, 6, 1);
      await use("c4", 800_000);
      expect(given(bench).slice(3)).toEqual(["plan_tokens.threshold free 50", "plan_tokens.threshold free 80"]);
    }));

  it("are given of prepaid credit as it runs low, anew after each top-up", () =>
    withLedger("free", async (first) => {
      await settle(first, "tokens", { input: 1_000_000, output: 0 });
      const before = given(first).length;
      const credit = (bench: Bench, id: string) => bench.ledger.credit(id, 10 * WORST, "", KEY.id).then(unwrap);
      const fresh = (bench: Bench) => given(bench).slice(before);
      await credit(first, "one");
      for (let i = 0; i < 5; i++) await settle(first, `c${i}`);
      expect(fresh(first)).toEqual(["credit.threshold  50"]);
      const second = await first.restart();
      for (let i = 5; i < 8; i++) await settle(second, `c${i}`);
      expect(fresh(second)).toEqual(["credit.threshold  50", "credit.threshold  80"]);
      await credit(second, "two");
      expect(second.ledger.notices.newest(1)[0]?.data).toMatchObject({ credit_nano: 10 * WORST, left_nano: 2 * WORST });
      for (let i = 8; i < 20; i++) await settle(second, `c${i}`);
      expect(fresh(second)).toEqual([50, 80, 50, 80, 100].map((threshold) => `credit.threshold  ${threshold}`));
    }));

  it.each([
    ["deposit", 0],
    ["deposit of more than once", 2],
  ])("say nothing of use when a %s is refunded", (_, before) =>
    withLedger("free", async (first) => {
      await settle(first, "tokens", { input: 1_000_000, output: 0 });
      const told = given(first).length;
      const pay = (id: string, nano: number) =>
        first.ledger.credits.move({ kind: "credit", id, nano, note: "", keyId: "stripe" }).then(unwrap);
      const refund = (bench: Bench, event: string, nano: number) =>
        bench.ledger.credits.refundUpTo({ payment: "p", event, nano, note: "" }).then(unwrap);
      if (before > 0) await pay("one", before * WORST);
      await pay("two", 10 * WORST);
      await refund(first, "e1", 9 * WORST);
      const second = await first.restart();
      await refund(second, "e2", 10 * WORST);
      await second.ledger.credits.order({ kind: "adjust", id: "a", nano: -1, note: "", keyId: KEY.id }).then(unwrap);
      expect(given(second)).toHaveLength(told);
      expect(second.ledger.balance(0).balance_nano).toBe(before * WORST - 1);
    }),
  );

  it("count what is used against what a refund left", () =>
    withLedger("free", async (first) => {
      await settle(first, "tokens", { input: 1_000_000, output: 0 });
      const told = given(first).length;
      unwrap(await first.ledger.credit("one", 10 * WORST, "", KEY.id));
      for (const id of ["c1", "c2"]) await settle(first, id);
      unwrap(await first.ledger.credits.refundUpTo({ payment: "p", event: "e", nano: 5 * WORST, note: "" }));
      const second = await first.restart();
      expect(given(second)).toHaveLength(told);
      await settle(second, "c3");
      expect(given(second).slice(told)).toEqual(["credit.threshold  50"]);
      expect(second.ledger.notices.newest(1)[0]?.data).toMatchObject({ credit_nano: 5 * WORST, left_nano: 2 * WORST });
    }));

  it.each([1, 2, 3, 4])("are on disk with the charge that crossed the line, or neither is (seed %i)", (seed) =>
    withLedger("enterprise", async (first, storage) => {
      const next = randomFrom(seed);
      let bench = first;
      await setBudget(bench, 20 * WORST, { period: "total" });
      const open: Promise<unknown>[] = [];
      let ahead = 0;
      for (let i = 0; i < 40; i++) {
        open.push(settle(bench, `${seed}-${i}`));
        if (next() < 0.3) await Promise.all(open.splice(0));
        if (next() < 0.1) bench = await bench.restart();
        const { spent } = storage.sql
          .exec<{ spent: number }>("SELECT coalesce(sum(cost_nano), 0) AS spent FROM entries")
          .one();
        if (spent < (i + 1) * WORST) ahead++;
        const crossed = THRESHOLDS.filter((threshold) => spent * 100 >= 20 * WORST * threshold);
        expect(given(bench)).toEqual(crossed.map((threshold) => `budget.threshold b ${threshold}`));
      }
      await Promise.all(open);
      expect(ahead).toBeGreaterThan(0);
      expect(given(bench)).toHaveLength(3);
    }),
  );
});
