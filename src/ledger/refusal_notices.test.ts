import { describe, expect, it, vi } from "vitest";
import { type Bench, HOLD, KEY, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import type { AdmitReply } from "./types.ts";

/** Notices that calls begin to be refused for want of money: once each, and only when waiting for running calls is no help. */

const WORST = 309_000;
const whole = { ...HOLD, minOutputTokens: HOLD.maxOutputTokens };
const ask = (bench: Bench, callId: string, hold = whole) =>
  bench.admit({ tool: "chat", scope: "chat", metered: true, callId, hold });
const use = async (bench: Bench, callId: string, usage = { input: 100, output: 100 }) => {
  expect((await ask(bench, callId)).kind).toBe("admitted");
  unwrap(await bench.settle(callId, { hold: whole, usage, durationMs: 0 }));
};
const setBudget = (bench: Bench, nano_usd: number, over: object = {}) =>
  bench.ledger.budgets.set({ id: "b", kind: "hard", period: "day", nano_usd, ...over }, bench.clock.now).then(unwrap);
/** What was given until now, oldest first, when all is written. */
async function given(bench: Bench): Promise<string[]> {
  await bench.ledger.audit();
  const notices = bench.ledger.notices.newest(100).reverse();
  return notices.map(({ type, data }) => `${type.split(".")[0]} ${data.threshold} ${data.cause}`);
}
const code = (reply: AdmitReply) => (reply.kind === "refused" ? reply.code : reply.kind);

describe("a hard budget", () => {
  it("that leaves too little for a call gives its last notice when it refuses one, once a period", () =>
    withLedger("enterprise", async (first) => {
      await setBudget(first, 3.5 * WORST);
      for (const id of ["c1", "c2", "c3"]) await use(first, id);
      expect(await given(first)).toEqual(["budget 50 used", "budget 80 used"]);
      expect(await ask(first, "c4")).toMatchObject({ code: "budget_exceeded", extras: { retry: "later" } });
      const all = ["budget 50 used", "budget 80 used", "budget 100 refused"];
      expect(await given(first)).toEqual(all);
      const [notice] = first.ledger.notices.newest(1);
      expect(notice?.message).toMatch(
        /^Calls are refused: of the hard budget "b" of \$0\.0010815\d*, \$0\.000927\d* is spent/,
      );
      expect(notice?.data).toMatchObject({ spent_nano: 3 * WORST, resets_at: "2026-06-16T00:00:00.000Z" });
      expect(code(await ask(first, "c5"))).toBe("budget_exceeded");
      const second = await first.restart();
      expect(code(await ask(second, "c6"))).toBe("budget_exceeded");
      expect(await given(second)).toEqual(all);
      second.clock.now += 24 * 3_600_000;
      for (const id of ["d1", "d2", "d3"]) await use(second, id);
      expect(code(await ask(second, "d4"))).toBe("budget_exceeded");
      expect(await given(second)).toEqual([...all, ...all]);
    }));

  it("below every call gives it with nothing spent, and what is reached afterwards all the same", () =>
    withLedger("enterprise", async (bench) => {
      await setBudget(bench, 0.9 * WORST);
      expect(await ask(bench, "c1")).toMatchObject({ code: "budget_exceeded", extras: { spent_nano_usd: 0 } });
      expect(await ask(bench, "c2")).not.toHaveProperty("extras.retry");
      expect(await given(bench)).toEqual(["budget 100 refused"]);
      unwrap(await bench.settle("c3", { hold: HOLD, usage: { input: 100, output: 100 }, durationMs: 0 }));
      expect(await given(bench)).toEqual(["budget 100 refused", "budget 50 used", "budget 80 used"]);
    }));

  it("that running calls hold refuses for the moment: the caller is told so, and nobody else", () =>
    withLedger("enterprise", async (bench) => {
      await setBudget(bench, 1.5 * WORST);
      expect((await ask(bench, "c1")).kind).toBe("admitted");
      expect(await ask(bench, "c2")).toMatchObject({
        code: "budget_exceeded",
        extras: {
          retry: "later",
          retry_after: 5,
          reserved_nano_usd: WORST,
        },
      });
      expect(await given(bench)).toEqual([]);
      unwrap(await bench.settle("c1", { hold: whole, usage: { input: 1, output: 1 }, durationMs: 0 }));
      expect((await ask(bench, "c3")).kind).toBe("admitted");
    }));

  it("has its refusal told without another call, and a refused call leaves nothing else", () =>
    withLedger("enterprise", async (bench, storage) => {
      await setBudget(bench, 1);
      bench.ledger.webhooks.add({ id: "hook_1", url: "https://example.com/", secret: "whsec_x" });
      const set = vi.spyOn(storage, "setAlarm");
      const before = unwrap(await bench.ledger.audit());
      expect(code(await ask(bench, "c1"))).toBe("budget_exceeded");
      await expect.poll(() => bench.ledger.notices.newest(1), { timeout: 5_000 }).toHaveLength(1);
      expect(set.mock.lastCall).toEqual([bench.clock.now]);
      set.mockRestore();
      expect(unwrap(await bench.ledger.audit())).toEqual(before);
    }));
});

describe("credit", () => {
  const credit = (bench: Bench, id: string, nano: number) => bench.ledger.credit(id, nano, "", KEY.id).then(unwrap);
  const withoutPlan = (work: (bench: Bench, told: number) => Promise<void>) =>
    withLedger("free", async (bench) => {
      unwrap(await bench.settle("all", { hold: HOLD, usage: { input: 1_000_000, output: 0 }, durationMs: 0 }));
      await work(bench, (await given(bench)).length);
    });

  it("that does not cover a call gives its last notice then, anew after each top-up", () =>
    withoutPlan(async (first, told) => {
      await credit(first, "one", 3.5 * WORST);
      for (const id of ["c1", "c2", "c3"]) await use(first, id);
      expect(code(await ask(first, "c4"))).toBe("payment_required");
      expect(code(await ask(first, "c5"))).toBe("payment_required");
      const all = ["credit 50 used", "credit 80 used", "credit 100 refused"];
      expect((await given(first)).slice(told)).toEqual(all);
      expect(first.ledger.notices.newest(1)[0]?.message).toMatch(/^Calls are refused: .*\$0\.0001545\d* is left/);
      const second = await first.restart();
      expect(code(await ask(second, "c6"))).toBe("payment_required");
      expect((await given(second)).slice(told)).toEqual(all);
      await credit(second, "two", 3 * WORST);
      for (const id of ["d1", "d2", "d3"]) await use(second, id);
      expect(code(await ask(second, "d4"))).toBe("payment_required");
      expect((await given(second)).slice(told)).toEqual([...all, ...all]);
    }));

  it("that running calls hold is missing for the moment only", () =>
    withoutPlan(async (bench, told) => {
      await credit(bench, "one", 1.5 * WORST);
      expect((await ask(bench, "c1")).kind).toBe("admitted");
      expect(await ask(bench, "c2")).toMatchObject({
        code: "payment_required",
        extras: { retry: "later", retry_after: 5, credit_available_nano: WORST / 2 },
      });
      expect((await given(bench)).slice(told)).toEqual([]);
    }));

  it("that there never was leaves it to the plan's tokens to say so", () =>
    withLedger("free", async (bench) => {
      unwrap(await bench.settle("most", { hold: HOLD, usage: { input: 999_900, output: 0 }, durationMs: 0 }));
      const before = ["plan_tokens 50 used", "plan_tokens 80 used"];
      expect(await given(bench)).toEqual(before);
      const refused = await ask(bench, "c1");
      expect(code(refused)).toBe("payment_required");
      expect(refused).toMatchObject({ extras: { retry: "later", resets_at: expect.stringMatching(/-01T00:00:00/) } });
      expect(await given(bench)).toEqual([...before, "plan_tokens 100 refused"]);
      const beyond = await ask(bench, "c2", { ...whole, inputTokens: 1_000_001 });
      expect([code(beyond), (beyond as { extras?: object }).extras]).toEqual([
        "payment_required",
        { tokens_remaining: 100, credit_available_nano: 0 },
      ]);
      expect(bench.ledger.notices.newest(1)[0]?.message).toMatch(
        /^Calls are refused: .*999900 are used.*no prepaid credit/,
      );
      unwrap(await bench.settle("rest", { hold: HOLD, usage: { input: 100, output: 0 }, durationMs: 0 }));
      expect(await given(bench)).toHaveLength(3);
    }));
});
