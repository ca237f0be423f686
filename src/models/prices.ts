import type { TokenPrice } from "../ledger/money.ts";
import book from "./prices.json" with { type: "json" };

/**
 * The price book: what OpenAI and Anthropic charge for their chat models, generated from a pinned package by
 * `node scripts/prices.ts`. Prices are integers in pico-USD per token.
 */
export interface PriceEntry {
  id: string;
  /** Exact names. */
  names: string[];
  /** Names that start like this. */
  prefixes?: string[];
  /** `<name>-20260101` and `<name>-2026-01-01`. */
  dated?: string[];
  contextTokens?: number;
  /** Prompts longer than this cost more than `price` says. */
  inputLimit?: number;
  price: TokenPrice;
}

export interface PriceBook {
  source: string;
  /** Prices that change on a date are those of this day, `YYYY-MM-DD`. */
  as_of: string;
  providers: Record<string, PriceEntry[]>;
}

export const priceBook: PriceBook = book;

const DATE_SUFFIX = /-\d{4}-?\d{2}-?\d{2}$/;

/** The entry of a model by the provider's name for it; exact names win, then dated ones, then the longest prefix. */
export function findPrice(provider: string, name: string): PriceEntry | undefined {
  const entries = priceBook.providers[provider] ?? [];
  const wanted = name.toLowerCase();
  const exact = entries.find((entry) => entry.names.includes(wanted));
  if (exact) return exact;
  const base = wanted.replace(DATE_SUFFIX, "");
  const dated = base === wanted ? undefined : entries.find((entry) => entry.dated?.includes(base));
  return dated ?? longestPrefix(entries, wanted);
}

function longestPrefix(entries: PriceEntry[], name: string): PriceEntry | undefined {
  let best: { entry: PriceEntry; length: number } | undefined;
  for (const entry of entries) {
    for (const prefix of entry.prefixes ?? []) {
      if (name.startsWith(prefix) && prefix.length > (best?.length ?? 0)) best = { entry, length: prefix.length };
    }
  }
  return best?.entry;
}

const PICO_PER_USD_MTOK_DIGITS = 6;

/**
 * Decimal USD per million tokens -> pico-USD per token, by moving the decimal point: "0.075" -> 75000.
 * @throws RangeError when it is not a plain non-negative decimal, is finer than one pico-USD, or is too large
 */
export function picoPerToken(usdPerMillion: string): number {
  const match = /^(\d{1,9})(?:\.(\d{1,12}))?$/.exec(usdPerMillion);
  if (!match) throw new RangeError(`"${usdPerMillion}" is not a decimal number of USD`);
  const whole = match[1] ?? "";
  const fraction = (match[2] ?? "").replace(/0+$/, "");
  if (fraction.length > PICO_PER_USD_MTOK_DIGITS) throw new RangeError(`"${usdPerMillion}" is finer than one pico-USD`);
  const pico = Number(whole + fraction.padEnd(PICO_PER_USD_MTOK_DIGITS, "0"));
  if (!Number.isSafeInteger(pico)) throw new RangeError(`"${usdPerMillion}" is too large for a price`);
  return pico;
}
