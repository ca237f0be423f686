import { allClasses, type ClassPrices, markedUp, type TokenPrice, term } from "./money.ts";
import type { HoldRequest } from "./types.ts";

/** The dearest way to spend a prompt: so many tokens of input, each class at the dearest it can be. */
interface Extreme {
  prompt: number;
  input: number;
  output: number;
}

/**
 * The most a call can cost that puts out so many tokens, in nano-USD. Nobody knows beforehand what the provider will find
 * in its cache, write to it or count as audio or reasoning, nor how far below its bound the prompt stays: so every token
 * counts as the dearest class of its side, in whichever tier within the bound comes out highest.
 */
export const worstCost = (request: HoldRequest, output: number): number =>
  dearest(extremesOf(request), output, request.markupBps);

/** The most output tokens whose worst case fits, up to what was asked; null when not even `minOutputTokens` do. */
export function affordable(request: HoldRequest, nano: number): number | null {
  const { minOutputTokens: min, maxOutputTokens: max, markupBps } = request;
  const extremes = extremesOf(request);
  const fits = (output: number) => dearest(extremes, output, markupBps) <= nano;
  if (fits(max)) return max;
  if (!fits(min)) return null;
  return lastThatFits(min, max, fits);
}

function dearest(extremes: readonly Extreme[], output: number, markupBps: number): number {
  let pico = 0n;
  for (const extreme of extremes) {
    const cost = term(extreme.prompt, extreme.input) + term(output, extreme.output);
    if (cost > pico) pico = cost;
  }
  return markedUp(pico, markupBps);
}

/** One for each tier that a prompt within the bound can fall in, at that tier's longest prompt. */
function extremesOf({ price, inputTokens }: { price: TokenPrice; inputTokens: number }): Extreme[] {
  const reached = (price.tiers ?? []).filter(({ above }) => above < inputTokens);
  return [price, ...reached].map((prices, i) => ({
    prompt: reached[i]?.above ?? inputTokens,
    ...dearestPrices(prices),
  }));
}

function dearestPrices(prices: ClassPrices): { input: number; output: number } {
  const { output, reasoning, outputAudio, ...input } = allClasses(prices);
  return { input: Math.max(...Object.values(input)), output: Math.max(output, reasoning, outputAudio) };
}

/** Largest whole number from `low`, which fits, to below `high`, which does not; what is larger never fits better. */
function lastThatFits(low: number, high: number, fits: (n: number) => boolean): number {
  let fitting = low;
  let tooMuch = high;
  while (tooMuch - fitting > 1) {
    const middle = Math.floor((fitting + tooMuch) / 2);
    if (fits(middle)) fitting = middle;
    else tooMuch = middle;
  }
  return fitting;
}
