import {
  allClasses,
  roundedUp,
  type TokenClass,
  type TokenPrice,
  type TokenUsage,
  tierFor,
  totalInput,
  withMarkup,
} from "./money.ts";
import type { CallTry, ChargeItem } from "./report_types.ts";

/** A try as the books remember it. What it was priced by is missing where nothing was used, or nothing was held. */
export interface StoredTry {
  model: string;
  outcome: string;
  usage?: TokenUsage;
  estimated?: boolean;
  provider?: string;
  price?: TokenPrice;
  markupBps?: number;
}

const FREE: TokenPrice = { input: 0, output: 0 };

/**
 * What each class of tokens of each try cost. The charge is rounded up once, over all of them; each item gets what it adds
 * to the rounded sum, and each try what its items come to.
 */
export function itemised(stored: readonly StoredTry[]): { tries: CallTry[]; items: ChargeItem[] } {
  let exact = 0n;
  let nano = 0;
  const items: ChargeItem[] = [];
  const tries = stored.map((one, i): CallTry => {
    const { usage, price = FREE, markupBps = 0 } = one;
    const tier = usage ? tierFor(price, totalInput(usage)) : price;
    const prices = allClasses(tier);
    const before = nano;
    for (const [name, tokens] of Object.entries(usage ?? {}) as [TokenClass, number][]) {
      if (tokens === 0) continue;
      const cost = withMarkup(BigInt(tokens) * BigInt(prices[name]), markupBps);
      exact += cost;
      const upTo = roundedUp(exact);
      items.push({
        try: i + 1,
        class: snakeCase(name),
        tokens,
        price_pico_usd: prices[name],
        exact_usd: decimal(cost, 16),
        cost_nano: upTo - nano,
      });
      nano = upTo;
    }
    return {
      n: i + 1,
      model: one.model,
      provider: one.provider ?? null,
      outcome: one.outcome,
      estimated: one.estimated ?? false,
      price_version: one.price?.version ?? null,
      price_tier_above: "above" in tier ? (tier.above as number) : null,
      markup: one.markupBps === undefined ? null : decimal(BigInt(one.markupBps), 4),
      cost_nano: nano - before,
    };
  });
  return { tries, items };
}

const snakeCase = (name: string): string => name.replace(/[A-Z]|\d+h/g, (part) => `_${part.toLowerCase()}`);

/** A whole number of 10^-places as a decimal without needless zeros: 10300, 4 -> "1.03". */
export function decimal(value: bigint, places: number): string {
  const digits = String(value).padStart(places + 1, "0");
  return `${digits.slice(0, -places)}.${digits.slice(-places)}`.replace(/\.?0+$/, "");
}
