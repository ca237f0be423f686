import { describe, expect, it } from "vitest";
import { type Bench, HOLD, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import { LEASE_MS } from "./ledger_parts.ts";
import { costNano } from "./money.ts";
import type { CallItem, HoldRequest } from "./types.ts";

const DEAR = {
  model: "other/dear",
  provider: "other",
  price: { input: 3_000_000, output: 9_000_000 },
  markupBps: 10_500,
};
const BOTH: HoldRequest = { ...HOLD, alternatives: [DEAR] };
const chat = { tool: "chat", scope: "chat", metered: true, hold: BOTH };
const ITEMS: CallItem[] = [
  { model: HOLD.model, outcome: "provider_busy" },
  { model: HOLD.model, outcome: "provider_failed", usage: { input: 50, output: 3 }, estimated: true },
  { model: DEAR.model, outcome: "ok", usage: { input: 60, output: 7 } },
];
const FIRST = costNano({ input: 50, output: 3 }, HOLD.price, HOLD.markupBps);
const SECOND = costNano({ input: 60, output: 7 }, DEAR.price, DEAR.markupBps);

const details = async (bench: Bench, callId: string) => {
  const reply = await bench.admit({ callId: crypto.randomUUID(), reads: { callId } });
  return reply.kind === "admitted" ? reply.call : undefined;
};
const report = async (bench: Bench) => {
  const reply = await bench.admit({ callId: crypto.randomUUID(), reads: { recent: 9 } });
  return reply.kind === "admitted" ? reply.usage : undefined;
};

describe("a call that fell back to another model", () => {
  it("is one charge, itemised, with its share for each model and one count for the one that answered", () =>
    withLedger("free", async (bench) => {
      await bench.admit({ ...chat, callId: "c1" });
      const settled = unwrap(await bench.settle("c1", { hold: BOTH, items: ITEMS }));
      expect(settled.costNano).toBe(FIRST + SECOND);
      const check = async (at: Bench) => {
        const usage = await report(at);
        expect(usage?.by_model[HOLD.model]).toEqual({
          ...{ calls: 0, errors: 0, input_tokens: 50, output_tokens: 3, cost_nano: FIRST },
        });
        expect(usage?.by_model[DEAR.model]).toEqual({
          ...{ calls: 1, errors: 0, input_tokens: 60, output_tokens: 7, cost_nano: SECOND },
        });
        expect(usage?.total).toMatchObject({ cost_nano: FIRST + SECOND, input_tokens: 110, output_tokens: 10 });
        expect(usage?.tokens.used).toBe(120);
        expect(usage?.recent.find(({ id }) => id === "c1")).toMatchObject({
          model: DEAR.model,
          cost_nano: FIRST + SECOND,
          input_tokens: 110,
          estimated: true,
        });
        const call = await details(at, "c1");
        expect(call?.tries).toMatchObject([
          { n: 1, model: HOLD.model, outcome: "provider_busy", cost_nano: 0, estimated: false },
          { n: 2, model: HOLD.model, outcome: "provider_failed", cost_nano: FIRST, estimated: true, markup: "1.03" },
          { n: 3, model: DEAR.model, provider: "other", outcome: "ok", cost_nano: SECOND, markup: "1.05" },
        ]);
        expect(call?.items.map(({ try: n, class: name, tokens }) => [n, name, tokens])).toEqual([
          [2, "input", 50],
          [2, "output", 3],
          [3, "input", 60],
          [3, "output", 7],
        ]);
        expect(call).toMatchObject({ model: DEAR.model, provider: "other", markup: "1.05", cost_nano: FIRST + SECOND });
      };
      await check(bench);
      const awake = await bench.restart();
      await check(awake);
      expect(unwrap(await awake.ledger.audit()).consistent).toBe(true);
    }));

  it("is billed with all its items after its hold was lost or expired", () =>
    withLedger("free", async (bench) => {
      // Never admitted by this ledger, as far as it knows.
      expect(unwrap(await bench.settle("lost", { hold: BOTH, items: ITEMS })).costNano).toBe(FIRST + SECOND);
      await bench.admit({ ...chat, callId: "late" });
      bench.clock.now += LEASE_MS;
      await bench.ledger.onAlarm({
        batch: () => Promise.reject(new Error("away")),
        prepare: () => ({ bind: () => ({}) }),
      } as never);
      expect(unwrap(await bench.settle("late", { hold: BOTH, items: ITEMS })).costNano).toBe(FIRST + SECOND);
      const usage = await report(bench);
      expect(usage?.by_model[HOLD.model]).toMatchObject({ calls: 0, errors: 0, cost_nano: 2 * FIRST });
      expect(usage?.by_model[DEAR.model]).toMatchObject({ calls: 2, errors: 0, cost_nano: 2 * SECOND });
      expect(unwrap(await bench.ledger.audit())).toMatchObject({
        consistent: true,
        settled_cost_nano: 2 * (FIRST + SECOND),
      });
    }));

  it("holds for the dearest of its models, and is settled once", () =>
    withLedger("free", async (bench) => {
      unwrap(await bench.ledger.credit("c", 10_000_000, "", "key_1"));
      const all = { ...HOLD, inputTokens: 1_000_000, maxOutputTokens: 0, minOutputTokens: 0 };
      await bench.admit({ ...chat, callId: "all", hold: all });
      await bench.admit({ ...chat, callId: "c1" });
      const dearest = costNano({ input: 100, output: 100 }, DEAR.price, DEAR.markupBps);
      expect(unwrap(await bench.ledger.audit()).reserved_nano).toBe(dearest);
      const [one, other] = await Promise.all([
        bench.settle("c1", { hold: BOTH, items: ITEMS }),
        bench.settle("c1", { hold: BOTH, items: ITEMS }),
      ]);
      expect(one).toEqual(other);
      expect(unwrap(await bench.ledger.audit())).toMatchObject({
        balance_nano: 10_000_000 - FIRST - SECOND,
        reserved_nano: 0,
        consistent: true,
      });
    }));

  it("that failed in the end costs nothing, and its tries are told for ever", () =>
    withLedger("free", async (bench, storage) => {
      await bench.admit({ ...chat, callId: "c1" });
      const items = ITEMS.slice(0, 2).map(({ model, outcome }) => ({ model, outcome }));
      const ended = await bench.settle("c1", { hold: BOTH, items, error: "provider_failed" });
      expect(unwrap(ended).costNano).toBe(0);
      await bench.ledger.audit();
      storage.sql.exec("DELETE FROM call_batches");
      const awake = await bench.restart();
      expect(await details(awake, "c1")).toMatchObject({
        status: "provider_failed",
        cost_nano: 0,
        tries: [{ outcome: "provider_busy" }, { outcome: "provider_failed", cost_nano: 0 }],
        items: [],
      });
    }));

  it("that held nothing tells its tries from its record", () =>
    withLedger("free", async (bench) => {
      const free: CallItem[] = [
        { model: "local/one", outcome: "provider_failed" },
        { model: "local/two", outcome: "ok", usage: { input: 5, output: 6 } },
      ];
      await bench.admit({ tool: "chat", scope: "chat", metered: true, callId: "c1" });
      await bench.settle("c1", { items: free });
      expect(await details(bench, "c1")).toMatchObject({
        model: "local/two",
        cost_nano: 0,
        tries: [{ model: "local/one" }, { model: "local/two", markup: null, cost_nano: 0 }],
        items: [
          { try: 2, class: "input", tokens: 5, cost_nano: 0 },
          { try: 2, class: "output", tokens: 6 },
        ],
      });
    }));
});

it("a charge that was posted before there were items is told as one try", () =>
  withLedger("free", async (bench, storage) => {
    const detail = {
      model: "m/old",
      provider: "m",
      price: { ...HOLD.price, version: "v" },
      markupBps: 10_300,
      funding: "included",
    };
    storage.sql.exec(
      "INSERT INTO entries (call_id, kind, at, key_id, hold_nano, credit_nano, tokens, cost_nano, detail) VALUES ('old', 'settle', 1, 'key_1', 0, 0, 3, 5150, ?)",
      JSON.stringify({
        ...detail,
        usage: { input: 1, output: 2 },
        call: { status: "ok", estimated: true, begun_at: 1, tool: "chat" },
      }),
    );
    expect(await details(bench, "old")).toMatchObject({
      price_version: "v",
      tries: [{ n: 1, model: "m/old", outcome: "ok", estimated: true, cost_nano: 5_150, markup: "1.03" }],
      items: [
        { try: 1, class: "input", cost_nano: 1_030 },
        { try: 1, class: "output", cost_nano: 4_120 },
      ],
    });
  }));
