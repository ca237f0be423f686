import { describe, expect, it } from "vitest";
import { randomFrom } from "../../test/random.ts";
import { type ClassPrices, costNano, type TokenPrice, type TokenUsage } from "./money.ts";
import type { HoldRequest } from "./types.ts";
import { affordable, worstCost } from "./worst_case.ts";

const INPUTS = ["input", "cacheRead", "cacheWrite", "cacheWrite1h", "inputAudio", "cacheReadAudio"] as const;
const OUTPUTS = ["output", "reasoning", "outputAudio"] as const;

type Dice = () => number;
const whole = (dice: Dice, most: number) => Math.floor(dice() * (most + 1));

function randomClasses(dice: Dice): ClassPrices {
  const prices: ClassPrices = { input: whole(dice, 20_000_000), output: whole(dice, 90_000_000) };
  for (const name of [...INPUTS, ...OUTPUTS]) if (dice() < 0.5) prices[name] = whole(dice, 99_000_000);
  return prices;
}

/** Tiers in rising order, their prices in any: a long prompt may be the cheaper one. */
function randomPrice(dice: Dice): TokenPrice {
  const bounds = [...new Set([1, 2, 3].map(() => whole(dice, 3_000)))].sort((a, b) => a - b);
  const tiers = bounds.slice(0, whole(dice, 3)).map((above) => ({ above, ...randomClasses(dice) }));
  return { ...randomClasses(dice), ...(tiers.length > 0 ? { tiers } : {}) };
}

const randomRequest = (dice: Dice): HoldRequest => ({
  model: "m",
  provider: "p",
  price: randomPrice(dice),
  markupBps: whole(dice, 30_000),
  inputTokens: whole(dice, 4_000),
  minOutputTokens: whole(dice, 64),
  maxOutputTokens: 64 + whole(dice, 8_000),
});

/** So many tokens at most, in random classes. */
function spread(dice: Dice, names: readonly (keyof TokenUsage)[], most: number, usage: TokenUsage): void {
  let left = most;
  for (const name of names) {
    const part = whole(dice, left);
    usage[name] = part;
    left -= part;
  }
}

function randomUsage(dice: Dice, input: number, output: number): TokenUsage {
  const usage: TokenUsage = { input: 0, output: 0 };
  spread(
    dice,
    INPUTS.toSorted(() => dice() - 0.5),
    dice() < 0.3 ? input : whole(dice, input),
    usage,
  );
  spread(
    dice,
    OUTPUTS.toSorted(() => dice() - 0.5),
    output,
    usage,
  );
  return usage;
}

describe("the worst case", () => {
  it.each([11, 12, 13, 14])("is not below anything the call can come to, at any price (seed %i)", (seed) => {
    const dice = randomFrom(seed);
    for (let i = 0; i < 2_000; i++) {
      const request = randomRequest(dice);
      const output = whole(dice, request.maxOutputTokens);
      const usage = randomUsage(dice, request.inputTokens, output);
      const cost = costNano(usage, request.price, request.markupBps);
      expect(cost, JSON.stringify({ request, usage })).toBeLessThanOrEqual(worstCost(request, output));
    }
  });

  it.each([21, 22, 23, 24])("grows with the output, and the clamp takes the last that fits (seed %i)", (seed) => {
    const dice = randomFrom(seed);
    for (let i = 0; i < 500; i++) {
      const request = randomRequest(dice);
      const { minOutputTokens: min, maxOutputTokens: max } = request;
      const one = whole(dice, max);
      expect(worstCost(request, one)).toBeLessThanOrEqual(worstCost(request, one + 1));
      const nano = Math.floor(worstCost(request, max) * 1.2 * dice());
      const granted = affordable(request, nano);
      if (granted === null) expect(worstCost(request, min)).toBeGreaterThan(nano);
      else {
        expect(worstCost(request, granted)).toBeLessThanOrEqual(nano);
        if (granted < max) expect(worstCost(request, granted + 1)).toBeGreaterThan(nano);
        expect(granted).toBeGreaterThanOrEqual(Math.min(min, max));
        // A little more money never buys less.
        expect(affordable(request, nano + whole(dice, 1_000))).toBeGreaterThanOrEqual(granted);
      }
    }
  });

  it("is reached: an hour's cache write, the dearest output, the tier that comes out highest", () => {
    const price = {
      input: 3,
      output: 15,
      cacheWrite1h: 6,
      outputAudio: 20,
      tiers: [{ above: 100, input: 1, output: 2 }],
    };
    const request = { ...randomRequest(randomFrom(1)), price, markupBps: 10_000_000, inputTokens: 1_000 };
    // A prompt of 100 tokens at 6 and 10 of audio at 20, and not 1,000 at 1 and 10 at 2; the markup makes pico nano.
    expect(worstCost({ ...request, inputTokens: 100 }, 10)).toBe(800);
    expect(worstCost(request, 10)).toBe(1_020);
    expect(worstCost({ ...request, inputTokens: 700 }, 10)).toBe(800);
  });
});
