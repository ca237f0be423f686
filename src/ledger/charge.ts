import { exactCost, roundedUp, totalInput, totalOutput, totalTokens } from "./money.ts";
import type { CallItem, HoldRequest, PricedModel } from "./types.ts";

/** What the tries of one call come to: each at its own model's price, summed exactly and rounded up once. */

/** The model as the hold names it; undefined when the hold does not. */
export const named = (hold: HoldRequest, model: string): PricedModel | undefined =>
  hold.model === model ? hold : hold.alternatives?.find((other) => other.model === model);

/** What a model's tokens cost in this call. One that the hold does not name costs as its first: never nothing. */
export const termsOf = (hold: HoldRequest, model: string): PricedModel => named(hold, model) ?? hold;

/**
 * The cost of each item in nano-USD: what it adds to the rounded sum, so that the items come to the charge.
 * @throws RangeError as `costNano`
 */
export function costsOf(items: readonly CallItem[], hold: HoldRequest): { costNano: number; costs: number[] } {
  let exact = 0n;
  let costNano = 0;
  const costs = items.map(({ model, usage }) => {
    if (!usage) return 0;
    const { price, markupBps } = termsOf(hold, model);
    exact += exactCost(usage, price, markupBps);
    const upTo = roundedUp(exact);
    const cost = upTo - costNano;
    costNano = upTo;
    return cost;
  });
  return { costNano, costs };
}

/** The try whose answer the call gave: the last that succeeded, or else the last that used something. */
export const answering = (items: readonly CallItem[]): CallItem | undefined =>
  items.findLast(({ outcome }) => outcome === "ok") ?? items.findLast(({ usage }) => usage);

export const usedAny = (items: readonly CallItem[]): boolean => items.some(({ usage }) => usage);

/** Tokens of all classes of all tries. */
export const tokensOf = (items: readonly CallItem[]): number =>
  items.reduce((sum, { usage }) => sum + (usage ? totalTokens(usage) : 0), 0);

/** The tries of a call that is not charged for what they used. */
export const unbilled = (items: readonly CallItem[]): CallItem[] =>
  items.map(({ model, outcome }) => ({ model, outcome }));

/** What one model has of a call that used several. */
export interface ModelShare {
  model: string;
  input_tokens: number;
  output_tokens: number;
  cost_nano: number;
}

/** What other models than the one that answered have of a call; `costs` are those of the items. */
export function sharesOf(items: readonly CallItem[], costs: readonly number[], answered: string): ModelShare[] {
  const shares = new Map<string, ModelShare>();
  for (const [i, { model, usage }] of items.entries()) {
    if (!usage || model === answered) continue;
    const share = shares.get(model) ?? { model, input_tokens: 0, output_tokens: 0, cost_nano: 0 };
    share.input_tokens += totalInput(usage);
    share.output_tokens += totalOutput(usage);
    share.cost_nano += costs[i] ?? 0;
    shares.set(model, share);
  }
  return [...shares.values()];
}
