import { describe, expect, it } from "vitest";
import { HOLD, KEY, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import { itemised } from "./itemised.ts";
import { LEASE_MS } from "./ledger_parts.ts";
import { costNano, type TokenPrice, type TokenUsage } from "./money.ts";

/** Sum of exact decimals, in units of 1e-16 USD. */
const units = (usd: string): bigint => {
  const [whole = "0", part = ""] = usd.split(".");
  return BigInt(whole + part.padEnd(16, "0"));
};

describe("the items of a charge", () => {
  it("come to what was charged, to the nano-USD, for any usage, price, tier and markup", () => {
    let state = 11;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
      return (state >> 4) % below;
    };
    for (let i = 0; i < 2_000; i++) {
      const usage: TokenUsage = {
        input: random(5_000),
        output: random(5_000),
        ...(random(2) ? { cacheRead: random(5_000) } : {}),
        ...(random(2) ? { cacheWrite1h: random(500) } : {}),
        ...(random(2) ? { reasoning: random(500) } : {}),
      };
      const price: TokenPrice = {
        input: random(9_999_999),
        output: random(99_999_999),
        ...(random(2) ? { cacheRead: random(999_999) } : {}),
        ...(random(2) ? { tiers: [{ above: 4_000, input: random(99), output: random(999) }] } : {}),
      };
      const markup = 10_000 + random(5_000);
      const { items } = itemised([{ model: "m", outcome: "ok", usage, price, markupBps: markup }]);
      expect(items.reduce((sum, { cost_nano }) => sum + cost_nano, 0)).toBe(costNano(usage, price, markup));
      const exact = items.reduce((sum, { exact_usd }) => sum + units(exact_usd), 0n);
      // One nano-USD is 10^7 units; the charge is the exact sum rounded up, once.
      expect((exact + 9_999_999n) / 10_000_000n).toBe(BigInt(costNano(usage, price, markup)));
      for (const { cost_nano, exact_usd } of items) {
        const off = BigInt(cost_nano) * 10_000_000n - units(exact_usd);
        expect(off > -10_000_000n && off < 10_000_000n).toBe(true);
      }
    }
  });

  it("name the tier that held and leave out what was not used", () => {
    const price = { input: 1_000, output: 2_000, tiers: [{ above: 100, input: 10, output: 20, cacheRead: 1 }] };
    const one = { model: "m", provider: "p", outcome: "ok", price, markupBps: 10_000 };
    expect(itemised([{ ...one, usage: { input: 60, output: 0, cacheRead: 41 } }])).toEqual({
      tries: [
        {
          n: 1,
          model: "m",
          provider: "p",
          outcome: "ok",
          estimated: false,
          price_version: null,
          price_tier_above: 100,
          markup: "1",
          cost_nano: 1,
        },
      ],
      items: [
        { try: 1, class: "input", tokens: 60, price_pico_usd: 10, exact_usd: "0.0000000006", cost_nano: 1 },
        { try: 1, class: "cache_read", tokens: 41, price_pico_usd: 1, exact_usd: "0.000000000041", cost_nano: 0 },
      ],
    });
    expect(itemised([{ ...one, usage: { input: 60, output: 0, cacheWrite1h: 3 } }])).toMatchObject({
      tries: [{ price_tier_above: null }],
      items: [{ class: "input" }, { class: "cache_write_1h", price_pico_usd: 1_000 }],
    });
  });
});

describe("a call in the books", () => {
  const chat = { tool: "chat", scope: "chat", metered: true, hold: HOLD };
  function paid(nano: number) {
    return <R>(work: Parameters<typeof withLedger<R>>[1]) =>
      withLedger("free", async (bench, storage) => {
        unwrap(await bench.ledger.credit("c", nano, "", KEY.id));
        // Nothing of the plan is left for the calls to come.
        const all = { ...HOLD, inputTokens: 1_000_000, maxOutputTokens: 0, minOutputTokens: 0 };
        await bench.admit({ ...chat, callId: "all", hold: all });
        await bench.settle("all", { hold: all, usage: { input: 1_000_000, output: 0 }, model: HOLD.model });
        return work(bench, storage);
      });
  }

  it("that used more than was held tells the overrun apart", () =>
    paid(10_000_000)(async (bench) => {
      await bench.admit({ ...chat, callId: "c1" });
      const usage = { input: 100, output: 500 };
      const { costNano: cost } = unwrap(
        await bench.settle("c1", { hold: HOLD, usage, model: HOLD.model, session: "s" }),
      );
      const reply = await bench.admit({ reads: { callId: "c1" } });
      const held = 309_000;
      expect(reply.kind === "admitted" && reply.call).toMatchObject({
        session_id: "s",
        cost_nano: cost,
        credit_nano: cost,
        overrun_nano: cost - held,
        hold: { held_nano: held, released_nano: 0, held_tokens: 0, input_tokens: 100, granted_output_tokens: 100 },
        entries: [
          { kind: "hold" },
          { kind: "settle", credit_nano: -held },
          { kind: "overrun", credit_nano: held - cost },
        ],
      });
    }));

  it("is open, then expired, then billed after all, and tells its session for ever", () =>
    paid(10_000_000)(async (first, storage) => {
      await first.admit({ ...chat, callId: "c2", client: "a-client", session: "s-1" });
      const read = async (bench: typeof first) => {
        const reply = await bench.admit({ callId: crypto.randomUUID(), reads: { callId: "c2" } });
        return reply.kind === "admitted" ? reply.call : undefined;
      };
      expect(await read(first)).toMatchObject({
        status: "open",
        cost_nano: 0,
        hold: { ended_at: null, released_nano: 0 },
      });
      first.clock.now += LEASE_MS;
      const noD1 = { batch: () => Promise.reject(new Error("away")), prepare: () => ({ bind: () => ({}) }) };
      await first.ledger.onAlarm(noD1 as unknown as D1Database);
      expect(await read(first)).toMatchObject({
        status: "expired",
        at: new Date(first.clock.now - LEASE_MS).toISOString(),
        ...{ tool: "chat", user: KEY.user, client: "a-client", via: "rest", session_id: "s-1" },
        hold: { held_nano: 309_000, released_nano: 309_000 },
      });
      await first.settle("c2", { hold: HOLD, usage: { input: 1, output: 1 }, model: HOLD.model, session: "s-2" });
      const billed = { status: "ok", session_id: "s-2", cost_nano: 3_090, credit_nano: 3_090, overrun_nano: 3_090 };
      expect(await read(first)).toMatchObject(billed);
      await first.ledger.audit();
      storage.sql.exec("DELETE FROM call_batches");
      const again = await first.restart();
      expect(await read(again)).toMatchObject({ ...billed, items: [{ class: "input" }, { class: "output" }] });
    }));

  it("that expired counts on the day it began, of whoever began it, and once when it is billed after all", () =>
    withLedger("enterprise", async (first, storage) => {
      first.clock.now = Date.UTC(2026, 5, 15, 23, 59);
      await first.admit({ ...chat, callId: "c3", client: "a-client", session: "s-3" });
      const before = await first.restart();
      before.clock.now += LEASE_MS;
      const noD1 = { batch: () => Promise.reject(new Error("away")), prepare: () => ({ bind: () => ({}) }) };
      await before.ledger.onAlarm(noD1 as unknown as D1Database);
      const counted = () => {
        const rows = storage.sql.exec(
          "SELECT day, user, client, session, calls, errors, cost_nano FROM tally WHERE tool = 'chat'",
        );
        return rows.toArray().filter(({ calls, cost_nano }) => calls !== 0 || cost_nano !== 0);
      };
      const call = { day: "2026-06-15", user: KEY.user, client: "a-client", session: "s-3", calls: 1 };
      await before.ledger.audit();
      expect(counted()).toEqual([{ ...call, errors: 1, cost_nano: 0 }]);
      storage.sql.exec("DELETE FROM call_batches");
      const again = await before.restart();
      await again.settle("c3", { hold: HOLD, usage: { input: 1, output: 1 }, client: "a-client", session: "s-3" });
      await again.ledger.audit();
      expect(counted()).toEqual([{ ...call, errors: 0, cost_nano: 3_090 }]);
    }));
});
