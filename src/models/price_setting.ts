import * as z from "zod";
import { WaypostError } from "../errors.ts";
import type { ClassPrices, TokenPrice } from "../ledger/money.ts";
import { picoPerToken } from "./prices.ts";

/** What MODEL_PRICES calls the classes: decimal USD per million tokens. */
const Decimal = z.string().max(24);
const Classes = {
  input: Decimal,
  output: Decimal,
  cache_read: Decimal.optional(),
  cache_write: Decimal.optional(),
  cache_write_1h: Decimal.optional(),
  input_audio: Decimal.optional(),
  cache_read_audio: Decimal.optional(),
  output_audio: Decimal.optional(),
  reasoning: Decimal.optional(),
};
const Tier = z.strictObject({ above: z.int().min(0).max(1_000_000_000), ...Classes });
type StatedClasses = Omit<z.output<typeof Tier>, "above">;

/** Model id -> price, as an operator states it. */
export const PriceList = z.record(
  z.string(),
  z.strictObject({
    ...Classes,
    tiers: z
      .array(Tier)
      .min(1)
      .max(8)
      .refine((tiers) => tiers.every(({ above }, i) => i === 0 || above > (tiers[i - 1]?.above ?? 0)), {
        message: "`above` must rise from tier to tier",
      })
      .optional(),
  }),
);

/** Prices in pico-USD per token. @throws WaypostError `not_configured` when one is not a plain decimal */
export function statedPrices(list: z.output<typeof PriceList>): Map<string, TokenPrice> {
  const prices = new Map<string, TokenPrice>();
  for (const [id, { tiers, ...classes }] of Object.entries(list)) {
    try {
      prices.set(id, {
        ...inPico(classes),
        ...(tiers ? { tiers: tiers.map(({ above, ...tier }) => ({ above, ...inPico(tier) })) } : {}),
        version: "MODEL_PRICES",
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new WaypostError("not_configured", `MODEL_PRICES: ${id}: ${error.message} per million tokens`);
    }
  }
  return prices;
}

function inPico(stated: StatedClasses): ClassPrices {
  const optional = {
    cacheRead: stated.cache_read,
    cacheWrite: stated.cache_write,
    cacheWrite1h: stated.cache_write_1h,
    inputAudio: stated.input_audio,
    cacheReadAudio: stated.cache_read_audio,
    outputAudio: stated.output_audio,
    reasoning: stated.reasoning,
  };
  const given = Object.entries(optional).flatMap(([name, usd]) =>
    usd === undefined ? [] : [[name, picoPerToken(usd)] as const],
  );
  return { input: picoPerToken(stated.input), output: picoPerToken(stated.output), ...Object.fromEntries(given) };
}
