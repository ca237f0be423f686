/**
 * Exact money. Prices are integers in pico-USD (1e-12 USD) per token, amounts are integers in nano-USD (1e-9 USD).
 * A charge is computed in BigInt and rounded once, up, so no sum of charges ever drifts.
 */

/** Tokens by class. Classes never overlap: cached input is not counted in `input`, reasoning not in `output`. */
export interface TokenUsage {
  /** Text read, neither from a cache nor into one. */
  input: number;
  /** Text written for the caller to see. */
  output: number;
  /** Text read from the provider's cache. */
  cacheRead?: number;
  /** Text written to the cache, for five minutes or however long the provider keeps it by default. */
  cacheWrite?: number;
  /** Text written to the cache for an hour. */
  cacheWrite1h?: number;
  inputAudio?: number;
  cacheReadAudio?: number;
  outputAudio?: number;
  /** Output the model wrote for itself before it answered. */
  reasoning?: number;
}

export type TokenClass = keyof TokenUsage;

/**
 * Pico-USD per token, by class. A class without a price costs as much as its parent:
 * `cacheRead`, `cacheWrite`, `inputAudio` as `input`; `cacheWrite1h` as `cacheWrite`; `reasoning`, `outputAudio` as
 * `output`; `cacheReadAudio` as `inputAudio`, or as `cacheRead` when audio has no price of its own.
 */
export interface ClassPrices extends Partial<Record<TokenClass, number>> {
  input: number;
  output: number;
}

/** The price of a call whose prompt has more than `above` tokens. A whole price: nothing is taken from the one below it. */
export interface PriceTier extends ClassPrices {
  above: number;
}

/** What a model's tokens cost. */
export interface TokenPrice extends ClassPrices {
  /** Long prompts, in rising order of `above`: the whole call is priced by the last tier that its prompt exceeds. */
  tiers?: PriceTier[];
  /** Where the price is from and of which day, so that an old charge can be explained. */
  version?: string;
}

/** Markup in basis points of the cost: 10_000 = 1.00, 10_300 = 1.03. */
export const MARKUP_BPS = { local: 10_000, cloud: 10_300, knowledge: 13_000 } as const;
export type PriceClass = keyof typeof MARKUP_BPS;

const PICO_PER_NANO = 1_000n;
const BPS = 10_000n;
const NANO_PER_TENTH_OF_CENT = 1_000_000;

/** The price of every class, with what is missing taken from its parent. */
export function allClasses(price: ClassPrices): Record<TokenClass, number> {
  const { input, output, cacheRead = input, cacheWrite = input } = price;
  return {
    input,
    output,
    cacheRead,
    cacheWrite,
    cacheWrite1h: price.cacheWrite1h ?? cacheWrite,
    inputAudio: price.inputAudio ?? input,
    cacheReadAudio: price.cacheReadAudio ?? price.inputAudio ?? cacheRead,
    outputAudio: price.outputAudio ?? output,
    reasoning: price.reasoning ?? output,
  };
}

/** The prices that hold for a prompt of so many tokens, cached ones included. */
export function tierFor(price: TokenPrice, prompt: number): ClassPrices {
  return price.tiers?.findLast(({ above }) => prompt > above) ?? price;
}

/**
 * What a usage costs, in nano-USD, rounded up once.
 * @throws RangeError when a count or price is not a non-negative safe integer, or the result exceeds 2^53 - 1
 */
export const costNano = (usage: TokenUsage, price: TokenPrice, markupBps: number): number =>
  roundedUp(exactCost(usage, price, markupBps));

/** What a usage costs, unrounded, in 1e-16 USD. @throws RangeError as `costNano` */
export function exactCost(usage: TokenUsage, price: TokenPrice, markupBps: number): bigint {
  const prices = allClasses(price.tiers ? tierFor(price, totalInput(usage)) : price);
  let pico = 0n;
  for (const name in usage) {
    const tokens = usage[name as TokenClass];
    if (tokens !== undefined) pico += term(tokens, prices[name as TokenClass]);
  }
  return withMarkup(pico, markupBps);
}

/** Pico-USD with the markup, in whole nano-USD, rounded up. @throws RangeError beyond 2^53 - 1 */
export const markedUp = (pico: bigint, markupBps: number): number => roundedUp(withMarkup(pico, markupBps));

/** Pico-USD with the markup, in 1e-16 USD. */
export function withMarkup(pico: bigint, markupBps: number): bigint {
  if (!Number.isSafeInteger(markupBps) || markupBps < 0) throw new RangeError(`markup ${markupBps} is not whole`);
  return pico * BigInt(markupBps);
}

/** 1e-16 USD in whole nano-USD, rounded up. @throws RangeError beyond 2^53 - 1 */
export function roundedUp(exact: bigint): number {
  const divisor = PICO_PER_NANO * BPS;
  const nano = (exact + divisor - 1n) / divisor;
  if (nano > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("charge exceeds the safe integer range");
  return Number(nano);
}

/** Tokens times price, in pico-USD. @throws RangeError when one of them is not a non-negative safe integer */
export function term(tokens: number, pico: number): bigint {
  if (!Number.isSafeInteger(tokens) || tokens < 0) throw new RangeError(`token count ${tokens} is not a whole number`);
  if (!Number.isSafeInteger(pico) || pico < 0) throw new RangeError(`price ${pico} is not a whole number of pico-USD`);
  return BigInt(tokens) * BigInt(pico);
}

/** Tokens of the prompt: every class that is read. */
export const totalInput = (usage: TokenUsage): number =>
  usage.input +
  (usage.cacheRead ?? 0) +
  (usage.cacheWrite ?? 0) +
  (usage.cacheWrite1h ?? 0) +
  (usage.inputAudio ?? 0) +
  (usage.cacheReadAudio ?? 0);

/** Tokens of the answer: every class that is written, reasoning included. */
export const totalOutput = (usage: TokenUsage): number =>
  usage.output + (usage.reasoning ?? 0) + (usage.outputAudio ?? 0);

/** Total tokens of all classes. */
export const totalTokens = (usage: TokenUsage): number => totalInput(usage) + totalOutput(usage);

/** Whether any token costs anything, at any length of prompt. */
export const isPriced = (price: TokenPrice): boolean =>
  [price, ...(price.tiers ?? [])].some((prices) => Object.values(allClasses(prices)).some((pico) => pico > 0));

/** Decimal USD with nine places and no rounding: 10815000 -> "0.010815000". Safe for display and for parsing back. */
export function formatUsd(nano: number): string {
  const sign = nano < 0 ? "-" : "";
  const digits = String(Math.abs(nano)).padStart(10, "0");
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}

/** A cost for people, rounded up to a tenth of a cent: 10815000 -> "$0.011". Never to be computed with. */
export function displayUsd(nano: number): string {
  const rest = nano % NANO_PER_TENTH_OF_CENT;
  const tenths = (nano - rest) / NANO_PER_TENTH_OF_CENT + (rest > 0 ? 1 : 0);
  const digits = String(Math.abs(tenths)).padStart(4, "0");
  return `${tenths < 0 ? "-" : ""}$${digits.slice(0, -3)}.${digits.slice(-3)}`;
}
