/**
 * Exact money. Prices are integers in pico-USD (1e-12 USD) per token, amounts are integers in nano-USD (1e-9 USD).
 * A charge is computed in BigInt and rounded once, up, so no sum of charges ever drifts.
 */

/** Tokens by class. Classes never overlap: cached input is not counted in `input`. */
export interface TokenUsage {
  input: number;
  output: number;
  cacheRead?: number;
  cacheWrite?: number;
}

/** Pico-USD per token, by class. A missing cache class costs as much as `input`. */
export interface TokenPrice {
  input: number;
  output: number;
  cacheRead?: number;
  cacheWrite?: number;
}

/** Markup in basis points of the cost: 10_000 = 1.00, 10_300 = 1.03. */
export const MARKUP_BPS = { local: 10_000, cloud: 10_300, knowledge: 13_000 } as const;
export type PriceClass = keyof typeof MARKUP_BPS;

const PICO_PER_NANO = 1_000n;
const BPS = 10_000n;

/**
 * What a usage costs, in nano-USD, rounded up once.
 * @throws RangeError when a count or price is not a non-negative safe integer, or the result exceeds 2^53 - 1
 */
export function costNano(usage: TokenUsage, price: TokenPrice, markupBps: number): number {
  const pico =
    term(usage.input, price.input) +
    term(usage.output, price.output) +
    term(usage.cacheRead ?? 0, price.cacheRead ?? price.input) +
    term(usage.cacheWrite ?? 0, price.cacheWrite ?? price.input);
  const scaled = pico * BigInt(markupBps);
  const divisor = PICO_PER_NANO * BPS;
  const nano = (scaled + divisor - 1n) / divisor;
  if (nano > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError("charge exceeds the safe integer range");
  return Number(nano);
}

function term(tokens: number, pico: number): bigint {
  if (!Number.isSafeInteger(tokens) || tokens < 0) throw new RangeError(`token count ${tokens} is not a whole number`);
  if (!Number.isSafeInteger(pico) || pico < 0) throw new RangeError(`price ${pico} is not a whole number of pico-USD`);
  return BigInt(tokens) * BigInt(pico);
}

/** Total tokens of all classes. */
export const totalTokens = (usage: TokenUsage): number =>
  usage.input + usage.output + (usage.cacheRead ?? 0) + (usage.cacheWrite ?? 0);

/** Decimal USD with nine places and no rounding: 10815000 -> "0.010815000". Safe for display and for parsing back. */
export function formatUsd(nano: number): string {
  const sign = nano < 0 ? "-" : "";
  const digits = String(Math.abs(nano)).padStart(10, "0");
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
