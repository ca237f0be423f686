import { describe, expect, it } from "vitest";
import { costNano, formatUsd, MARKUP_BPS } from "./money.ts";

/** Claude 3.5 Sonnet: $3 and $15 a million tokens. */
const SONNET = { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000 };

describe("money", () => {
  it("prices the worked example exactly", () => {
    const usage = { input: 1_000, output: 500 };
    expect(costNano(usage, SONNET, MARKUP_BPS.local)).toBe(10_500_000);
    expect(costNano(usage, SONNET, MARKUP_BPS.cloud)).toBe(10_815_000);
    expect(formatUsd(10_815_000)).toBe("0.010815000");
  });

  it("bills each cache class at its own price, and at the input's where there is none", () => {
    expect(costNano({ input: 0, output: 0, cacheRead: 1_000, cacheWrite: 1_000 }, SONNET, 10_000)).toBe(4_050_000);
    expect(costNano({ input: 0, output: 0, cacheRead: 1 }, { input: 5_000, output: 0 }, 10_000)).toBe(5);
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

  it("writes amounts that parse back", () => {
    for (const nano of [0, 1, 999_999_999, 1_000_000_000, 123_456_789_012, -5]) {
      expect(Math.round(Number(formatUsd(nano)) * 1e9)).toBe(nano);
    }
  });
});
