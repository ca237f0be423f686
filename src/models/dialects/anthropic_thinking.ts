import type { LanguageModelV4CallOptions } from "@ai-sdk/provider";
import { isObject } from "./fields.ts";

/** Fewest tokens that Claude accepts to think in, and what of an answer may at most be thought. */
const LEAST_BUDGET = 1_024;
const MOST_SHARE = 0.8;

/** Shares of the output that an effort is worth to a model that is given a number of tokens to think in. */
const SHARES: Partial<Record<NonNullable<LanguageModelV4CallOptions["reasoning"]>, number>> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.4,
  high: 0.6,
  xhigh: 0.7,
  max: MOST_SHARE,
};

/** Models that take an effort and see for themselves; the limit of their output then holds for thoughts and words. */
const TAKES_EFFORT = /^claude-(?:(?:opus|sonnet)-4-[6-8]|(?:opus|sonnet|haiku|fable|mythos)-5)/;

/**
 * Thinking within the limit of the output. The AI SDK adds what is to be thought to that limit, up to a multiple of it,
 * while callers of every dialect mean thoughts and words together, and no more than that is held for the call.
 */
export function fitThinking(options: LanguageModelV4CallOptions, name: string): LanguageModelV4CallOptions {
  const { maxOutputTokens: most, providerOptions, reasoning } = options;
  const thinking = providerOptions?.anthropic?.thinking;
  const asked = isObject(thinking) ? thinking : undefined;
  if (most === undefined || (asked && asked.type !== "enabled")) return options;
  if (!asked && (TAKES_EFFORT.test(name) || share(reasoning) === undefined)) return options;
  const wanted = typeof asked?.budgetTokens === "number" ? asked.budgetTokens : most * (share(reasoning) ?? 0);
  const budgetTokens = Math.floor(Math.min(Math.max(wanted, LEAST_BUDGET), most * MOST_SHARE));
  // Too short an answer to think about.
  if (budgetTokens < LEAST_BUDGET) return withThinking(options, { type: "disabled" }, most);
  return withThinking(options, { type: "enabled", budgetTokens }, most - budgetTokens);
}

const share = (effort: LanguageModelV4CallOptions["reasoning"]): number | undefined =>
  effort ? SHARES[effort] : undefined;

type Thinking = { type: "disabled" } | { type: "enabled"; budgetTokens: number };

function withThinking(
  { reasoning: _, ...options }: LanguageModelV4CallOptions,
  thinking: Thinking,
  maxOutputTokens: number,
): LanguageModelV4CallOptions {
  const anthropic = { ...options.providerOptions?.anthropic, thinking };
  return { ...options, maxOutputTokens, providerOptions: { ...options.providerOptions, anthropic } };
}
