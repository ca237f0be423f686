import { describe, expect, it } from "vitest";
import {
  costNano,
  displayUsd,
  formatUsd,
  isPriced,
  MARKUP_BPS,
  totalInput,
  totalOutput,
  totalTokens,
} from "./money.ts";

/** Claude 3.5 Sonnet: $3 and $15 a million tokens. */
const SONNET = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 };

describe("money", () => {
  it("prices the worked example exactly", () => {
    const usage = { input: 1_000, output: 500 };
    expect(costNano(usage, SONNET, MARKUP_BPS.local)).toBe(10_500_000);
    expect(costNano(usage, SONNET, MARKUP_BPS.cloud)).toBe(10_815_000);
    expect(formatUsd(10_815_000)).toBe("0.010815000");
    expect(displayUsd(10_815_000)).toBe("$0.011");
  });

  it("bills each cache class at its own price, and at the input's where there is none", () => {
    expect(costNano({ input: 0, output: 0, cacheRead: 1_000, cacheWrite: 1_000 }, SONNET, 10_000)).toBe(4_050_000);
    expect(costNano({ input: 0, output: 0, cacheRead: 1 }, { input: 5_000, output: 0 }, 10_000)).toBe(5);
  });

  it("takes what has no price from its parent class", () => {
    const all = {
      input: 0,
      output: 0,
      cacheWrite1h: 1,
      reasoning: 10,
      inputAudio: 100,
      outputAudio: 1_000,
      cacheReadAudio: 10_000,
    };
    const nano = (price: object) => costNano(all, { input: 1_000, output: 2_000, ...price }, 10_000);
    expect(nano({})).toBe(1 + 20 + 100 + 2_000 + 10_000);
    expect(nano({ cacheWrite: 3_000 })).toBe(3 + 20 + 100 + 2_000 + 10_000);
    expect(nano({ cacheWrite: 3_000, cacheWrite1h: 4_000 })).toBe(4 + 20 + 100 + 2_000 + 10_000);
    expect(nano({ reasoning: 0, outputAudio: 5_000 })).toBe(1 + 0 + 100 + 5_000 + 10_000);
    expect(nano({ cacheRead: 0 })).toBe(1 + 20 + 100 + 2_000 + 0);
    expect(nano({ cacheRead: 0, inputAudio: 7_000 })).toBe(1 + 20 + 700 + 2_000 + 70_000);
    expect(nano({ cacheReadAudio: 1_000, inputAudio: 7_000 })).toBe(1 + 20 + 700 + 2_000 + 10_000);
    expect([totalInput(all), totalOutput(all), totalTokens(all)]).toEqual([10_101, 1_010, 11_111]);
  });

  it("prices the whole call by the tier its prompt falls in", () => {
    const price = {
      input: 1_000,
      output: 2_000,
      cacheRead: 100,
      tiers: [
        { above: 10, input: 3_000, output: 4_000 },
        { above: 20, input: 5_000, output: 6_000, cacheRead: 500 },
      ],
    };
    const nano = (input: number, cacheRead: number) => costNano({ input, cacheRead, output: 1 }, price, 10_000);
    expect(nano(10, 0)).toBe(10 + 2);
    expect(nano(5, 5)).toBe(5 + 1 + 2);
    // A tier is a whole price: its cached tokens cost as its input when it does not say otherwise.
    expect(nano(1, 10)).toBe(33 + 4);
    expect(nano(20, 0)).toBe(60 + 4);
    expect(nano(1, 20)).toBe(5 + 10 + 6);
  });

  it("knows what costs nothing", () => {
    const free = { input: 0, output: 0 };
    expect(isPriced({ ...free, version: "1" })).toBe(false);
    expect(isPriced({ ...free, reasoning: 1 })).toBe(true);
    expect(isPriced({ ...free, tiers: [{ above: 9, input: 0, output: 1 }] })).toBe(true);
  });

  it("rounds once, up", () => {
    expect(costNano({ input: 1, output: 0 }, { input: 1, output: 0 }, 10_000)).toBe(1);
    expect(costNano({ input: 1_000, output: 0 }, { input: 1, output: 0 }, 10_000)).toBe(1);
    expect(costNano({ input: 1_001, output: 0 }, { input: 1, output: 0 }, 10_000)).toBe(2);
    expect(costNano({ input: 0, output: 0 }, SONNET, 10_300)).toBe(0);
  });

  it("refuses what is not a whole number or does not fit", () => {
    expect(() => costNano({ input: 0.5, output: 0 }, SONNET, 10_000)).toThrow(RangeError);
    expect(() => costNano({ input: -1, output: 0 }, SONNET, 10_000)).toThrow(RangeError);
    expect(() => costNano({ input: 1, output: 0 }, { input: 0.1, output: 0 }, 10_000)).toThrow(RangeError);
    expect(() => costNano({ input: 2 ** 50, output: 0 }, SONNET, 10_000)).toThrow(RangeError);
  });

  it("shows a cost rounded up to a tenth of a cent", () => {
    const shown = [0, 1, 1_000_000, 1_000_001, 999_999_999, 1_234_000_000, Number.MAX_SAFE_INTEGER, -1, -1_500_000];
    expect(shown.map(displayUsd)).toEqual([
      "$0.000",
      "$0.001",
      "$0.001",
      "$0.002",
      "$1.000",
      "$1.234",
      "$9007199.255",
      "$0.000",
      "-$0.001",
    ]);
  });

  it("writes amounts that parse back", () => {
    for (const nano of [0, 1, 999_999_999, 1_000_000_000, 123_456_789_012, -5]) {
      expect(Math.round(Number(formatUsd(nano)) * 1e9)).toBe(nano);
    }
  });
});
