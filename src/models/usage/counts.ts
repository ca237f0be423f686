import type { TokenClass, TokenUsage } from "../../ledger/money.ts";

/** A JSON object of unknown content. */
export type Raw = Record<string, unknown>;

/** More tokens than any single call has: beyond this a report is nonsense. */
const MOST_TOKENS = 1_000_000_000;

export const isRaw = (value: unknown): value is Raw =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The object under a name; an empty one when there is none. */
export const part = (raw: Raw, name: string): Raw => {
  const value = raw[name];
  return isRaw(value) ? value : {};
};

/** A token count. NaN when it is there and not a whole number from 0 to a billion; absent or null it is `fallback`. */
export function count(value: unknown, fallback = 0): number {
  if (value === undefined || value === null) return fallback;
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= MOST_TOKENS
    ? (value as number)
    : Number.NaN;
}

/** A count that must be there: NaN when it is not. */
export const needed = (value: unknown): number => count(value, Number.NaN);

/**
 * A usage from its classes, without those that are zero. Null when one is NaN or negative, which is how a count that made
 * no sense, or a part that was larger than its whole, comes out of the subtractions.
 */
export function usageFrom(classes: Record<TokenClass, number>): TokenUsage | null {
  const usage: TokenUsage = { input: classes.input, output: classes.output };
  for (const [name, tokens] of Object.entries(classes) as [TokenClass, number][]) {
    if (!(tokens >= 0)) return null;
    if (tokens > 0) usage[name] = tokens;
  }
  return usage;
}

/**
 * Input as OpenAI reports it, split into classes: `total` holds everything, `cached` and `audio` may overlap in it. Where
 * the overlap is not reported it is what the total forces it to be.
 */
export function splitInput(total: number, cached: number, written: number, audio: number, cachedAudio?: number) {
  const both = cachedAudio ?? Math.max(0, cached + written + audio - total);
  return {
    input: total - cached - written - (audio - both),
    cacheRead: cached - both,
    cacheWrite: written,
    cacheWrite1h: 0,
    inputAudio: audio - both,
    cacheReadAudio: both,
  };
}
