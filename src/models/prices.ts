import type { ClassPrices, PriceTier, TokenPrice } from "../ledger/money.ts";
import book from "./prices.json" with { type: "json" };

/**
 * The price book: what providers charge for their models' tokens, generated from a pinned package by
 * `node scripts/prices.ts`. Prices are integers in pico-USD per token.
 */
export interface PriceBook {
  /** The package and its version. */
  source: string;
  /** The day on which it was generated, `YYYY-MM-DD`. */
  as_of: string;
  providers: Record<string, PriceEntry[]>;
  /** Providers whose prices hold for models that the provider's own list lacks, in this order. */
  fallbacks: Record<string, string[]>;
}

export interface PriceEntry {
  id: string;
  /** Exact names. */
  names: string[];
  /** Names that start like this. */
  prefixes?: string[];
  /** `<name>-20260101` and `<name>-2026-01-01`. */
  dated?: string[];
  contextTokens?: number;
  /** Set: it has a price, but is not offered for chat (realtime, audio, models of another API). */
  chat?: false;
  /** Turns text into vectors: only its input has a price. */
  embeds?: true;
  /** In order of `from`: the last one that has begun holds. */
  prices: DatedPrice[];
}

export interface DatedPrice extends ClassPrices {
  /** First day, `YYYY-MM-DD`, UTC; absent = ever since. */
  from?: string;
  tiers?: PriceTier[];
}

export const priceBook: PriceBook = book as PriceBook;

/** A model's entry with the price of a day. */
export interface FoundPrice extends PriceEntry {
  /** Its `version` names package and day. */
  price: TokenPrice;
}

const DATE_SUFFIX = /-\d{4}-?\d{2}-?\d{2}$/;

/**
 * The price of a model by the provider's name for it, at a time (ms since the epoch); exact names win, then dated ones,
 * then the longest prefix.
 */
export function findPrice(provider: string, name: string, at: number = Date.now()): FoundPrice | undefined {
  for (const source of [provider, ...(priceBook.fallbacks[provider] ?? [])]) {
    const entry = findEntry(priceBook.providers[source] ?? [], name.toLowerCase());
    const price = entry && priceAt(entry, at);
    if (price) return { ...entry, price };
  }
  return undefined;
}

function findEntry(entries: readonly PriceEntry[], name: string): PriceEntry | undefined {
  const exact = entries.find((entry) => entry.names.includes(name));
  if (exact) return exact;
  const base = name.replace(DATE_SUFFIX, "");
  const dated = base === name ? undefined : entries.find((entry) => entry.dated?.includes(base));
  return dated ?? longestPrefix(entries, name);
}

function longestPrefix(entries: readonly PriceEntry[], name: string): PriceEntry | undefined {
  let best: { entry: PriceEntry; length: number } | undefined;
  for (const entry of entries) {
    for (const prefix of entry.prefixes ?? []) {
      if (name.startsWith(prefix) && prefix.length > (best?.length ?? 0)) best = { entry, length: prefix.length };
    }
  }
  return best?.entry;
}

/** Undefined before the first price began. */
function priceAt({ prices }: PriceEntry, at: number): TokenPrice | undefined {
  const day = prices.length > 1 || prices[0]?.from ? new Date(at).toISOString().slice(0, 10) : "";
  const current = prices.findLast(({ from }) => from === undefined || from <= day);
  if (!current) return undefined;
  const { from, ...price } = current;
  return { ...price, version: `${priceBook.source}, ${from ? `from ${from}` : priceBook.as_of}` };
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
