import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Bench, HOLD, SECOND, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import type { ChargeTopUp, TopUpOrder, TopUpOutcome } from "./types.ts";

const CENT = 10_000_000;
const HOUR = 3_600 * SECOND;
const RULE = { thresholdNano: 100 * CENT, amountCents: 1_000, monthlyMaxCents: 2_500 };

/** A payment provider that keeps its word about idempotency: an id is paid once, however often it is asked for. */
function provider(answer: (order: TopUpOrder, n: number) => TopUpOutcome["kind"] = () => "paid") {
  const paid = new Map<string, string>();
  const asked: TopUpOrder[] = [];
  const charge: ChargeTopUp = async (order) => {
    asked.push(order);
    const kind = answer(order, asked.length);
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (kind === "failed") return { kind, reason: "card_declined" };
    if (!paid.has(order.id)) paid.set(order.id, `pi_${order.id}`);
    return kind === "unknown" ? { kind } : { kind, paymentIntent: paid.get(order.id) as string };
  };
  return { paid, asked, charge };
}

async function low({ ledger }: Bench, rule = RULE): Promise<void> {
  ledger.autoTopUp.remember("cus_1", "pm_1");
  ledger.autoTopUp.set(rule);
  unwrap(await ledger.credit("first", 101 * CENT, "", "k"));
}

const spend = async ({ ledger }: Bench, cents: number, id = `a${cents}`) =>
  unwrap(await ledger.credits.move({ kind: "adjust", id, nano: -cents * CENT, note: "", keyId: "k" }));
const balance = ({ ledger }: Bench) => ledger.balance(50).balance_nano / CENT;
const notices = ({ ledger }: Bench) => ledger.balance(50).entries.filter(({ kind }) => kind === "notice");

describe("automatic top-up", () => {
  it("buys once when less than the threshold is left, asked for many times at once", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked } = provider();
      await low(bench);
      await bench.ledger.autoTopUp.run(charge);
      expect(asked).toEqual([]);
      await spend(bench, 2);
      await Promise.all(Array.from({ length: 20 }, () => bench.ledger.autoTopUp.run(charge)));
      expect(asked).toMatchObject([{ amountCents: 1_000, customer: "cus_1", paymentMethod: "pm_1" }]);
      expect(balance(bench)).toBe(1_099);
      await bench.ledger.autoTopUp.run(charge);
      expect(asked).toHaveLength(1);
      expect(unwrap(await bench.ledger.audit()).consistent).toBe(true);
    }));

  it("counts what running calls hold as spent", () =>
    withLedger("free", async (bench) => {
      await low(bench, { ...RULE, thresholdNano: 101 * CENT });
      expect(bench.ledger.autoTopUp.dueAt()).toBe(Number.POSITIVE_INFINITY);
      // More tokens than the plan has: credit pays.
      const hold = { ...HOLD, price: { input: 1_000, output: 1_000 }, inputTokens: 2_000_000 };
      const call = { scope: "chat", tool: "chat", metered: true, callId: "h" };
      expect((await bench.admit({ ...call, hold })).kind).toBe("admitted");
      expect(bench.ledger.autoTopUp.dueAt()).toBe(bench.clock.now);
    }));

  it("asks for the same payment again when the answer was lost, also after a restart, and pays once", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked, paid } = provider((_, n) => (n < 3 ? "unknown" : "paid"));
      await low(bench);
      await spend(bench, 50);
      await bench.ledger.autoTopUp.run(charge);
      await bench.ledger.autoTopUp.run(charge);
      expect(asked).toHaveLength(1);
      const awake = await bench.restart();
      awake.clock.now += 60 * SECOND;
      await awake.ledger.autoTopUp.run(charge);
      awake.clock.now += HOUR;
      await awake.ledger.autoTopUp.run(charge);
      expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
      expect([asked.length, paid.size, balance(awake)]).toEqual([3, 1, 1_051]);
    }));

  it("credits once what both the answer and the provider's message tell, whichever is first", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked } = provider((_, n) => (n === 1 ? "unknown" : "paid"));
      await low(bench);
      await spend(bench, 50);
      await bench.ledger.autoTopUp.run(charge);
      const { id } = asked[0] as TopUpOrder;
      const told = { id, paymentIntent: `pi_${id}`, amountCents: 1_000 };
      expect(unwrap(await bench.ledger.autoTopUp.paid(told)).posted).toBe(true);
      expect(unwrap(await bench.ledger.autoTopUp.paid(told)).posted).toBe(false);
      bench.clock.now += HOUR;
      await bench.ledger.autoTopUp.run(charge);
      expect([asked.length, balance(bench)]).toEqual([1, 1_051]);
      expect(bench.ledger.autoTopUp.view()).toMatchObject({ in_progress: false, month_cents: 1_000 });
    }));

  it("waits for a payment that is under way, and asks about that one", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked } = provider((_, n) => (n === 1 ? "processing" : "paid"));
      await low(bench);
      await spend(bench, 50);
      await bench.ledger.autoTopUp.run(charge);
      expect(balance(bench)).toBe(51);
      bench.clock.now += HOUR;
      await bench.ledger.autoTopUp.run(charge);
      expect(asked[1]?.paymentIntent).toBe(`pi_${asked[0]?.id}`);
      expect(balance(bench)).toBe(1_051);
    }));

  it("backs off after a failure, says so, and is switched off after the third", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked } = provider(() => "failed");
      const { autoTopUp } = bench.ledger;
      await low(bench);
      await spend(bench, 50);
      for (const wait of [0, HOUR - 1, 1, 24 * HOUR - 1, 1, 100 * HOUR]) {
        bench.clock.now += wait;
        await autoTopUp.run(charge);
      }
      expect(asked).toHaveLength(3);
      expect(new Set(asked.map(({ id }) => id)).size).toBe(3);
      expect(notices(bench).map(({ note }) => note)).toEqual([
        "Automatic top-up failed (card_declined); it is switched off now.",
        "Automatic top-up failed (card_declined).",
        "Automatic top-up failed (card_declined).",
      ]);
      expect(autoTopUp.view()).toMatchObject({ failures: 3, stopped: "3 payments in a row failed" });
      autoTopUp.set(RULE);
      expect(autoTopUp.dueAt()).toBe(bench.clock.now);
      expect([balance(bench), unwrap(await bench.ledger.audit()).consistent]).toEqual([51, true]);
    }));

  it("buys no more in a month than allowed, says so once, and goes on in the next", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked } = provider();
      await low(bench);
      for (let i = 0; i < 5; i++) {
        await spend(bench, balance(bench), `all-${i}`);
        await bench.ledger.autoTopUp.run(charge);
        await bench.ledger.autoTopUp.run(charge);
        if (balance(bench) === 0) break;
      }
      expect([asked.length, notices(bench).length, balance(bench)]).toEqual([2, 1, 0]);
      bench.clock.now = Date.UTC(2026, 6, 1);
      await bench.ledger.autoTopUp.run(charge);
      expect([asked.length, balance(bench)]).toEqual([3, 1_000]);
    }));

  it("gives up when the provider may have forgotten the payment, rather than pay twice", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked } = provider(() => "unknown");
      await low(bench);
      await spend(bench, 50);
      for (let hours = 0; hours < 48; hours++) {
        await bench.ledger.autoTopUp.run(charge);
        bench.clock.now += HOUR;
      }
      expect(new Set(asked.map(({ id }) => id)).size).toBe(1);
      expect(bench.ledger.autoTopUp.view().stopped).toMatch(/not known/);
      expect(bench.ledger.autoTopUp.dueAt()).toBe(Number.POSITIVE_INFINITY);
      expect(notices(bench)).toHaveLength(1);
    }));

  it("does nothing without a rule, without a card, or once a payment is disputed", () =>
    withLedger("pro", async (bench) => {
      const { charge, asked } = provider();
      const { autoTopUp } = bench.ledger;
      await autoTopUp.run(charge);
      autoTopUp.set(RULE);
      await autoTopUp.run(charge);
      autoTopUp.remember("cus_1", "pm_1");
      autoTopUp.stop("a payment is disputed");
      await autoTopUp.run(charge);
      await bench.ledger.onAlarm(env.DB);
      expect(asked).toEqual([]);
      autoTopUp.set(null);
      expect(autoTopUp.dueAt()).toBe(Number.POSITIVE_INFINITY);
    }));
});
