import { describe, expect, it } from "vitest";
import { randomFrom } from "../../test/random.ts";
import { Books, type Hold } from "./books.ts";
import { answering, costsOf, sharesOf } from "./charge.ts";
import { itemised } from "./itemised.ts";
import { forPlan } from "./markup.ts";
import { costNano } from "./money.ts";
import type { CallItem, HoldRequest, PricedModel } from "./types.ts";
import { affordable, worstCost } from "./worst_case.ts";

type Dice = () => number;
const whole = (dice: Dice, most: number) => Math.floor(dice() * (most + 1));

const model = (dice: Dice, name: string): PricedModel => ({
  model: name,
  provider: "p",
  price: {
    input: whole(dice, 9_999_999),
    output: whole(dice, 99_999_999),
    tiers: [{ above: whole(dice, 3_000), input: whole(dice, 9_999_999), output: whole(dice, 99_999_999) }],
  },
  markupBps: 10_000 + whole(dice, 5_000),
});

const NAMES = ["a", "b", "c"];
const holdOf = (dice: Dice): HoldRequest => ({
  ...model(dice, "a"),
  alternatives: [model(dice, "b"), model(dice, "c")],
  inputTokens: whole(dice, 4_000),
  maxOutputTokens: 64 + whole(dice, 4_000),
  minOutputTokens: whole(dice, 64),
});

const tries = (dice: Dice): CallItem[] =>
  Array.from({ length: 1 + whole(dice, 3) }, () => ({
    model: NAMES[whole(dice, 2)] as string,
    outcome: dice() < 0.5 ? ("ok" as const) : ("provider_failed" as const),
    ...(dice() < 0.8 ? { usage: { input: whole(dice, 5_000), output: whole(dice, 5_000) } } : {}),
  }));

describe("the tries of a call", () => {
  it.each([1, 2, 3])("cost their exact sum, rounded up once, and come to it one by one (seed %i)", (seed) => {
    const dice = randomFrom(seed);
    for (let i = 0; i < 1_000; i++) {
      const hold = holdOf(dice);
      const items = tries(dice);
      const { costNano: cost, costs } = costsOf(items, hold);
      const terms = (name: string) => [hold, ...(hold.alternatives ?? [])].find((m) => m.model === name) as PricedModel;
      let exact = 0n;
      for (const { model: name, usage } of items) {
        if (!usage) continue;
        const { price, markupBps } = terms(name);
        const prices = (price.tiers ?? []).find(({ above }) => usage.input > above) ?? price;
        exact +=
          (BigInt(usage.input) * BigInt(prices.input) + BigInt(usage.output) * BigInt(prices.output)) *
          BigInt(markupBps);
      }
      expect(BigInt(cost)).toBe((exact + 9_999_999n) / 10_000_000n);
      expect(costs.reduce((sum, one) => sum + one, 0)).toBe(cost);
      expect(Math.min(...costs)).toBeGreaterThanOrEqual(0);
      const told = itemised(items.map((item) => (item.usage ? { ...item, ...terms(item.model) } : item)));
      expect(told.tries.map(({ cost_nano }) => cost_nano)).toEqual(costs);
      expect(told.items.reduce((sum, { cost_nano }) => sum + cost_nano, 0)).toBe(cost);
      const answered = answering(items)?.model ?? "a";
      const own = items.reduce((sum, item, n) => sum + (item.model === answered ? (costs[n] as number) : 0), 0);
      expect(sharesOf(items, costs, answered).reduce((sum, { cost_nano }) => sum + cost_nano, own)).toBe(cost);
    }
  });

  it("cost, when there is one, what they always did", () => {
    const dice = randomFrom(4);
    for (let i = 0; i < 500; i++) {
      const hold = holdOf(dice);
      const usage = { input: whole(dice, 5_000), output: whole(dice, 5_000) };
      const { costNano: cost, costs } = costsOf([{ model: "a", outcome: "ok", usage }], hold);
      expect([cost, costs]).toEqual([costNano(usage, hold.price, hold.markupBps), [cost]]);
    }
  });

  it("are never free because the hold does not name the model", () => {
    const hold = holdOf(randomFrom(5));
    const usage = { input: 1_000, output: 10 };
    expect(costsOf([{ model: "unheard-of", outcome: "ok", usage }], hold)).toEqual(
      costsOf([{ model: "a", outcome: "ok", usage }], hold),
    );
  });

  it("are answered by the last that succeeded, or else the last that used something", () => {
    const usage = { input: 1, output: 1 };
    const used: CallItem = { model: "a", outcome: "provider_failed", usage };
    const failed: CallItem = { model: "b", outcome: "provider_failed" };
    expect(answering([used, { model: "c", outcome: "ok", usage }, failed])?.model).toBe("c");
    expect(answering([used, failed])?.model).toBe("a");
    expect(answering([failed])).toBeUndefined();
  });
});

describe("a hold with alternatives", () => {
  it.each([11, 12])("covers whichever answers, and is affordable for each (seed %i)", (seed) => {
    const dice = randomFrom(seed);
    for (let i = 0; i < 1_000; i++) {
      const hold = holdOf(dice);
      const { alternatives: _, ...first } = hold;
      const alone = [first, ...(hold.alternatives ?? [])].map((one) => ({ ...first, ...one }));
      const output = whole(dice, hold.maxOutputTokens);
      expect(worstCost(hold, output)).toBe(Math.max(...alone.map((one) => worstCost(one, output))));
      const nano = Math.floor(worstCost(hold, hold.maxOutputTokens) * 1.2 * dice());
      const grants = alone.map((one) => affordable(one, nano));
      const least = grants.includes(null) ? null : Math.min(...(grants as number[]));
      expect(affordable(hold, nano)).toBe(least);
    }
  });

  it("has the plan's markup on each of its models", () => {
    const dice = randomFrom(1);
    const other = { ...model(dice, "b"), planMarkups: { pro: 10_100 } };
    const hold = { ...holdOf(dice), planMarkups: { pro: 10_200 }, alternatives: [other, model(dice, "c")] };
    const settled = forPlan(hold, "pro");
    expect([settled.markupBps, ...(settled.alternatives ?? []).map(({ markupBps }) => markupBps)]).toEqual([
      10_200,
      10_100,
      hold.alternatives[1]?.markupBps,
    ]);
    expect(JSON.stringify(settled)).not.toContain("planMarkups");
  });

  it("keeps with the charge what it takes to reckon it again, whichever model answered", () => {
    const hold = holdOf(randomFrom(9));
    const books = new Books({ balanceNano: 10 ** 12, settledCostNano: 0, month: "2026-11", tokensUsed: 0 }, []);
    const placed = books.place({ callId: "c", keyId: "k", tool: "chat", expiresAt: 1 }, hold, 0) as { hold: Hold };
    const items: CallItem[] = [
      { model: "a", outcome: "provider_failed" },
      { model: "b", outcome: "provider_failed", usage: { input: 10, output: 3 } },
      { model: "c", outcome: "ok", usage: { input: 11, output: 7 } },
    ];
    const { entries, costNano: cost } = books.settle(placed.hold, items);
    const detail = JSON.parse(JSON.stringify(entries[0]?.detail));
    expect(detail).toMatchObject({ model: "c", items: [{ model: "a" }, { model: "b" }, { model: "c" }] });
    expect(itemised(detail.items).tries.reduce((sum, { cost_nano }) => sum + cost_nano, 0)).toBe(cost);
  });
});
