import { allClasses, type ClassPrices, roundedUp, type TokenPrice, term, withMarkup } from "./money.ts";
import type { HoldRequest, PricedModel } from "./types.ts";

/** The dearest ways to spend a prompt on one model. */
interface Model {
  extremes: Extreme[];
  markupBps: number;
}

/** The dearest way to spend a prompt: so many tokens of input, each class at the dearest it can be. */
interface Extreme {
  prompt: number;
  input: number;
  output: number;
}

/**
 * The most a call can cost that puts out so many tokens, in nano-USD. Nobody knows beforehand what the provider will find
 * in its cache, write to it or count as audio or reasoning, nor how far below its bound the prompt stays: so every token
 * counts as the dearest class of its side, in whichever tier within the bound comes out highest. Of the models that may
 * answer, the dearest counts.
 */
export const worstCost = (request: HoldRequest, output: number): number => dearest(modelsOf(request), output);

/** The most output tokens whose worst case fits, up to what was asked; null when not even `minOutputTokens` do. */
export function affordable(request: HoldRequest, nano: number): number | null {
  const { minOutputTokens: min, maxOutputTokens: max } = request;
  const models = modelsOf(request);
  const fits = (output: number) => dearest(models, output) <= nano;
  if (fits(max)) return max;
  if (!fits(min)) return null;
  return lastThatFits(min, max, fits);
}

function dearest(models: readonly Model[], output: number): number {
  let exact = 0n;
  for (const { extremes, markupBps } of models) {
    for (const extreme of extremes) {
      const cost = withMarkup(term(extreme.prompt, extreme.input) + term(output, extreme.output), markupBps);
      if (cost > exact) exact = cost;
    }
  }
  return roundedUp(exact);
}

function modelsOf(request: HoldRequest): Model[] {
  const models: PricedModel[] = request.alternatives ? [request, ...request.alternatives] : [request];
  return models.map(({ price, markupBps }) => ({ extremes: extremesOf(price, request.inputTokens), markupBps }));
}

/** One for each tier that a prompt within the bound can fall in, at that tier's longest prompt. */
function extremesOf(price: TokenPrice, inputTokens: number): Extreme[] {
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
