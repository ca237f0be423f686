import type { LanguageModelV4CallOptions, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { isObject } from "./fields.ts";
import type { AssistantPart } from "./prompt_builder.ts";
import { isSealed } from "./sealed.ts";

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
 * Thinking within the limit of the output, and none where Anthropic would refuse the request for it: it does not let Claude
 * think before a tool that it must call, nor, given tokens to think in, go on with a turn whose first thought is missing.
 * The AI SDK adds what is to be thought to the limit, up to a multiple of it, while callers of every dialect mean thoughts
 * and words together, and no more than that is held for the call.
 */
export function fitThinking(options: LanguageModelV4CallOptions, name: string): LanguageModelV4CallOptions {
  const { maxOutputTokens: most, providerOptions, reasoning, prompt, toolChoice } = options;
  const thinking = providerOptions?.anthropic?.thinking;
  const asked = isObject(thinking) ? thinking : undefined;
  if (asked ? asked.type === "disabled" : share(reasoning) === undefined) return options;
  // Left to itself the AI SDK keeps the thoughts and lets the model choose whether to call the tool.
  if (toolChoice?.type === "required" || toolChoice?.type === "tool") return withThinking(options, OFF, most);
  if (asked ? asked.type !== "enabled" : TAKES_EFFORT.test(name)) return options;
  if (lacksThought(prompt)) return withThinking(options, OFF, most);
  if (most === undefined) return options;
  const wanted = typeof asked?.budgetTokens === "number" ? asked.budgetTokens : most * (share(reasoning) ?? 0);
  const budgetTokens = Math.floor(Math.min(Math.max(wanted, LEAST_BUDGET), most * MOST_SHARE));
  // Too short an answer to think about.
  if (budgetTokens < LEAST_BUDGET) return withThinking(options, OFF, most);
  return withThinking(options, { type: "enabled", budgetTokens }, most - budgetTokens);
}

const share = (effort: LanguageModelV4CallOptions["reasoning"]): number | undefined =>
  effort ? SHARES[effort] : undefined;

/** The turn that ends the conversation called tools, and did not begin with a thought that Anthropic signed or sealed. */
function lacksThought(prompt: LanguageModelV4Prompt): boolean {
  let first: AssistantPart[] | undefined;
  let answered = false;
  for (const { role, content } of prompt) {
    if (role === "assistant") {
      first = content.some(({ type }) => type === "tool-call") ? (first ?? content) : undefined;
      answered = false;
    } else if (role === "tool") answered = true;
    // What the user adds to the results of tools still belongs to the turn.
    else if (role === "user" && !answered) first = undefined;
  }
  const begun = first?.find((part) => part.type !== "reasoning" || isSealed(part));
  return begun !== undefined && begun.type !== "reasoning";
}

type Thinking = { type: "disabled" } | { type: "enabled"; budgetTokens: number };
const OFF: Thinking = { type: "disabled" };

function withThinking(
  { reasoning: _, ...options }: LanguageModelV4CallOptions,
  thinking: Thinking,
  maxOutputTokens: number | undefined,
): LanguageModelV4CallOptions {
  const anthropic = { ...options.providerOptions?.anthropic, thinking };
  const limit = maxOutputTokens === undefined ? {} : { maxOutputTokens };
  return { ...options, ...limit, providerOptions: { ...options.providerOptions, anthropic } };
}
