import * as z from "zod";
import { type ClassPrices, isPriced, type TokenClass } from "../ledger/money.ts";
import { ABILITIES, abilitiesOf } from "../models/abilities.ts";
import { priceBook } from "../models/prices.ts";
import type { ModelInfo } from "../models/types.ts";

const Usd = z.string().describe("USD per million tokens, markup included");
const Classes = {
  input: Usd,
  output: Usd,
  cache_read: Usd.optional(),
  cache_write: Usd.optional(),
  cache_write_1h: Usd.optional(),
  input_audio: Usd.optional(),
  cache_read_audio: Usd.optional(),
  output_audio: Usd.optional(),
  reasoning: Usd.optional(),
};

/** One model, in the words of OpenAI's and Anthropic's lists and our own. */
export const ModelOutput = z.object({
  id: z.string(),
  object: z.literal("model"),
  type: z.literal("model"),
  display_name: z.string(),
  created: z.number().int().describe("day of the price book, in seconds"),
  created_at: z.string(),
  owned_by: z.string(),
  provider: z.string(),
  context: z.number().int().describe("tokens"),
  max_output: z.number().int().describe("tokens"),
  abilities: z.array(z.enum(ABILITIES)).describe("those that are known"),
  price: z.object({ ...Classes, tiers: z.array(z.object({ above: z.number().int(), ...Classes })).optional() }),
  available: z.boolean(),
  why: z.string().optional().describe("why not"),
});

export interface Caller {
  plan: string;
  /** There are tokens of the plan or credit left. */
  canPay: boolean;
}

const NAMES: Record<TokenClass, keyof typeof Classes> = {
  input: "input",
  output: "output",
  cacheRead: "cache_read",
  cacheWrite: "cache_write",
  cacheWrite1h: "cache_write_1h",
  inputAudio: "input_audio",
  cacheReadAudio: "cache_read_audio",
  outputAudio: "output_audio",
  reasoning: "reasoning",
};

const created_at = `${priceBook.as_of}T00:00:00Z`;
const created = Date.parse(created_at) / 1000;

export function modelOutput(info: ModelInfo, { plan, canPay }: Caller): z.output<typeof ModelOutput> {
  const bps = info.planMarkups?.[plan] ?? info.markupBps;
  const { tiers } = info.price;
  const available = canPay || !isPriced(info.price);
  return {
    id: info.id,
    object: "model",
    type: "model",
    display_name: info.name,
    created,
    created_at,
    owned_by: info.provider,
    provider: info.provider,
    context: info.contextTokens,
    max_output: info.maxOutputTokens,
    abilities: abilitiesOf(info),
    price: {
      ...inUsd(info.price, bps),
      ...(tiers ? { tiers: tiers.map((tier) => ({ above: tier.above, ...inUsd(tier, bps) })) } : {}),
    },
    available,
    ...(available ? {} : { why: "the plan's tokens and the prepaid credit are used up" }),
  };
}

function inUsd(price: ClassPrices, bps: number) {
  const given = Object.entries(NAMES).flatMap(([name, theirs]) => {
    const pico = price[name as TokenClass];
    return pico === undefined ? [] : [[theirs, usdPerMillion(pico, bps)] as const];
  });
  return {
    input: usdPerMillion(price.input, bps),
    output: usdPerMillion(price.output, bps),
    ...Object.fromEntries(given),
  };
}

/** Pico-USD per token with the markup, exactly, without zeros at its end: 150000 at 10300 -> "0.1545". */
export function usdPerMillion(pico: number, bps: number): string {
  const digits = String(BigInt(pico) * BigInt(bps)).padStart(11, "0");
  return `${digits.slice(0, -10)}.${digits.slice(-10)}`.replace(/\.?0+$/, "");
}
