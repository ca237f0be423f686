import { estimateTokens } from "../models/tokens.ts";
import { wholeCharacter } from "../search/boundaries.ts";

/**
 * How much of a result an agent is given at once: 6,000 tokens. What is measured is an estimate that can be a quarter too
 * low, and the frame around the items is not in it, so they get less.
 */
export const RESULT_TOKENS = 4_300;

export const tokensOf = (value: unknown): number => estimateTokens(JSON.stringify(value) ?? "");

/** How many of the items fit, in order; one at least, unless there is none. */
export function howMany(items: readonly unknown[], tokens = RESULT_TOKENS, atLeast = 1): number {
  let left = tokens;
  for (const [i, item] of items.entries()) {
    left -= tokensOf(item);
    if (left < 0) return Math.max(i, Math.min(atLeast, items.length));
  }
  return items.length;
}

/** The beginning of a text that fits, ending at a line or a word where there is one near its end. */
export function beginning(text: string, tokens = RESULT_TOKENS): string {
  if (text.length <= tokens / 2 || tokensOf(text) <= tokens) return text;
  let fits = 0;
  let over = text.length;
  // Each round halves what is uncertain; a hundred characters do not matter.
  while (over - fits > 100) {
    const middle = Math.ceil((fits + over) / 2);
    if (tokensOf(text.slice(0, middle)) <= tokens) fits = middle;
    else over = middle;
  }
  const end = wholeCharacter(text, Math.max(1, fits));
  for (const mark of ["\n", " "]) {
    const at = text.lastIndexOf(mark, end - 1) + 1;
    if (at > end * 0.8) return text.slice(0, at);
  }
  return text.slice(0, end);
}
