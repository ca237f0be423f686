import { describe, expect, it } from "vitest";
import { randomFrom } from "../../test/random.ts";
import { Books, type Entry, type Hold } from "./books.ts";
import { costNano, type TokenUsage } from "./money.ts";
import type { CallItem, HoldRequest } from "./types.ts";

const PRICE = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 };
const request = (over: Partial<HoldRequest> = {}): HoldRequest => ({
  model: "test/model",
  provider: "test",
  price: PRICE,
  markupBps: 10_300,
  inputTokens: 1_000,
  maxOutputTokens: 1_000,
  minOutputTokens: 1,
  ...over,
});
const call = (callId: string) => ({ callId, keyId: "key", tool: "chat", expiresAt: 1_000 });
const used = (usage: TokenUsage): CallItem[] => [{ model: "test/model", outcome: "ok", usage }];
const open = (state = {}) =>
  new Books({ balanceNano: 0, settledCostNano: 0, month: "2026-11", tokensUsed: 0, ...state }, []);

describe("books", () => {
  it("let the plan's tokens pay first, then credit, then nobody", () => {
    const books = open();
    const first = books.place(call("a"), request(), 2_500);
    expect(first?.hold).toMatchObject({ funding: "included", nano: 0, tokens: 2_000 });
    expect(books.place(call("b"), request(), 2_500)).toBeNull();
    books.credit("top-up", "key", 1_000_000_000, "");
    const second = books.place(call("b"), request(), 2_500);
    // All input at the dearest class (cache write) and the whole output, with the markup, rounded up.
    expect(second?.hold).toMatchObject({ funding: "credit", nano: 19_312_500, grantedOutputTokens: 1_000 });
    expect(books.availableNano).toBe(1_000_000_000 - 19_312_500);
  });

  it("cut the output to what is affordable instead of refusing what would have fitted", () => {
    const books = open({ balanceNano: 10_000_000 });
    const placed = books.place(call("a"), request(), 0);
    const granted = placed?.hold.grantedOutputTokens as number;
    expect(granted).toBeGreaterThan(0);
    expect(granted).toBeLessThan(1_000);
    expect(placed?.hold.nano).toBeLessThanOrEqual(10_000_000);
    const oneMore = open({ balanceNano: 10_000_000 }).place(call("b"), request({ minOutputTokens: granted + 1 }), 0);
    expect(oneMore).toBeNull();
  });

  it("have credit pay for the whole of what the rest of the plan's tokens would cut", () => {
    const rich = open({ balanceNano: 1_000_000_000, tokensUsed: 760 });
    const small = { inputTokens: 100, maxOutputTokens: 4_000, minOutputTokens: 64 };
    expect(rich.place(call("a"), request(small), 1_000)?.hold).toMatchObject({
      funding: "credit",
      tokens: 0,
      grantedOutputTokens: 4_000,
    });
    // What the plan covers whole, it pays, and of two grants alike it pays the one.
    expect(rich.place(call("b"), request({ ...small, maxOutputTokens: 140 }), 1_000)?.hold.funding).toBe("included");
    const dear = request({ ...small, price: { input: 1_000_000, output: 20_000_000 }, markupBps: 10_000 });
    // Credit for 145 tokens of output beside a plan that has as many, and then one fewer.
    for (const [monthly, funding] of [
      [1_005, "included"],
      [1_004, "credit"],
    ] as const) {
      const books = open({ balanceNano: 3_000_000, tokensUsed: 760 });
      expect(books.place(call("c"), dear, monthly)?.hold).toMatchObject({ funding, grantedOutputTokens: 145 });
    }
  });

  it.each([1, 2, 3])("grant what the better of plan and credit grants alone, and no less (seed %i)", (seed) => {
    const next = randomFrom(seed);
    const upTo = (most: number) => Math.floor(next() * (most + 1));
    const seen = new Set<string>();
    for (let i = 0; i < 2_000; i++) {
      const minOutputTokens = 1 + upTo(64);
      const wanted = request({
        inputTokens: upTo(2_000),
        minOutputTokens,
        maxOutputTokens: minOutputTokens + upTo(3_000),
      });
      const [tokensUsed, balanceNano] = [upTo(10_000), upTo(60_000_000)];
      const grant = (state: object, monthly: number) => open(state).place(call("a"), wanted, monthly)?.hold;
      const plan = grant({ tokensUsed }, 10_000)?.grantedOutputTokens ?? -1;
      const credit = grant({ balanceNano }, 0)?.grantedOutputTokens ?? -1;
      const both = grant({ tokensUsed, balanceNano }, 10_000);
      expect(both?.grantedOutputTokens ?? -1).toBe(Math.max(plan, credit));
      if (both) expect(both.funding).toBe(plan >= credit ? "included" : "credit");
      seen.add(`${both?.funding} ${both?.grantedOutputTokens === wanted.maxOutputTokens ? "whole" : "cut"}`);
    }
    expect([...seen].sort()).toEqual(["credit cut", "credit whole", "included cut", "included whole", "undefined cut"]);
  });

  it("keep with each charge what it takes to reckon it again", () => {
    const price = { ...PRICE, tiers: [{ above: 900, ...PRICE, input: 6_000_000 }], version: "book 1, 2026-11-20" };
    const books = open({ balanceNano: 1_000_000_000 });
    const { hold, entry } = books.place(call("a"), request({ price }), 0) as { hold: Hold; entry: Entry };
    expect(entry.detail).toMatchObject({ price, markupBps: 10_300 });
    const posting = books.settle(hold, used({ input: 901, output: 3, cacheWrite1h: 2, reasoning: 7 }));
    const { usage, price: kept, markupBps } = JSON.parse(JSON.stringify(posting.entries[0]?.detail));
    expect(kept).toEqual(price);
    expect(costNano(usage, kept, markupBps)).toBe(posting.costNano);
    // (901 x 6 + 10 x 15 + 2 x 3.75) x 1.03, in thousands of nano-USD.
    expect(posting.costNano).toBe(5_730_405);
  });

  it("bill an overrun as an entry of its own and in full", () => {
    const books = open({ balanceNano: 1_000_000_000 });
    const { hold } = books.place(call("a"), request({ maxOutputTokens: 10 }), 0) as { hold: Hold };
    const posting = books.settle(hold, used({ input: 1_000, output: 1_000 }));
    expect(posting.entries.map((entry) => entry.kind)).toEqual(["settle", "overrun"]);
    expect(-posting.entries.reduce((sum, entry) => sum + entry.creditNano, 0)).toBe(posting.costNano);
    expect(books.reservedNano).toBe(0);
  });

  it("release a hold once", () => {
    const books = open({ balanceNano: 1_000_000_000 });
    const { hold } = books.place(call("a"), request(), 0) as { hold: Hold };
    expect(books.release(hold, "expire")).toHaveLength(1);
    expect(books.release(hold, "void")).toHaveLength(0);
    expect(books.reservedNano).toBe(0);
  });

  it("start a month with no tokens used and the same money", () => {
    const books = open({ balanceNano: 7, tokensUsed: 99 });
    books.turnMonth("2026-12");
    expect(books.state).toMatchObject({ tokensUsed: 0, balanceNano: 7, month: "2026-12" });
    books.turnMonth("2026-11");
    expect(books.state.month).toBe("2026-12");
  });

  it.each([1, 2, 3, 4, 5])("equal the sums of their entries after any history (seed %i)", (seed) => {
    const next = randomFrom(seed);
    const books = open();
    const entries: Entry[] = [];
    const holds: Hold[] = [];
    const monthly = 500_000;
    for (let i = 0; i < 4_000; i++) {
      const dice = next();
      if (dice < 0.05) entries.push(books.credit(`c${i}`, "key", Math.floor(next() * 50_000_000) + 1, ""));
      else if (dice < 0.55) {
        const before = books.availableNano;
        const placed = books.place(
          call(`h${i}`),
          request({ maxOutputTokens: 1 + Math.floor(next() * 3_000) }),
          monthly,
        );
        if (placed) {
          entries.push(placed.entry);
          holds.push(placed.hold);
          if (placed.hold.funding === "credit") expect(placed.hold.nano).toBeLessThanOrEqual(before);
        }
      } else {
        const hold = holds.splice(Math.floor(next() * holds.length), 1)[0];
        if (!hold) continue;
        if (next() < 0.2) entries.push(...books.release(hold, next() < 0.5 ? "void" : "expire"));
        else {
          const output = Math.floor(next() * (hold.grantedOutputTokens + 1));
          entries.push(...books.settle(hold, used({ input: Math.floor(next() * 1_001), output })).entries);
        }
      }
      expect(books.availableNano).toBeGreaterThanOrEqual(0);
    }
    const sum = (field: "creditNano" | "holdNano" | "tokens" | "costNano") => entries.reduce((s, e) => s + e[field], 0);
    expect(books.state.balanceNano).toBe(sum("creditNano"));
    expect(books.reservedNano).toBe(sum("holdNano"));
    expect(books.state.tokensUsed).toBe(sum("tokens"));
    expect(books.state.settledCostNano).toBe(sum("costNano"));
    for (const hold of holds) books.release(hold, "void");
    expect(books.reservedNano).toBe(0);
    expect(books.reservedTokens).toBe(0);
  });
});
