import type { JSONObject, LanguageModelV4CallOptions, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { fitThinking } from "./anthropic_thinking.ts";
import { defined } from "./fields.ts";

/** Wishes that the neutral form has no field for. Each provider's client takes those under its own name. */
export interface Wishes {
  /** False: at most one tool call in an answer. */
  parallel?: boolean;
  strictSchema?: boolean;
  verbosity?: string;
  thinking?: { type: "enabled"; budgetTokens: number } | { type: "disabled" } | { type: "adaptive" };
}

/** Servers that speak chat completions; `raw` are fields of the request itself. */
export const COMPATIBLE = "openaiCompatible";

export function providerOptions(wishes: Wishes): Pick<LanguageModelV4CallOptions, "providerOptions"> {
  const compatible: JSONObject = defined({
    strictJsonSchema: wishes.strictSchema,
    textVerbosity: wishes.verbosity,
    parallel_tool_calls: wishes.parallel === false ? false : undefined,
  }) as JSONObject;
  const anthropic: JSONObject = defined({
    disableParallelToolUse: wishes.parallel === false ? true : undefined,
    thinking: wishes.thinking,
  }) as JSONObject;
  const filled = Object.entries({ [COMPATIBLE]: compatible, anthropic }).filter(([, on]) => Object.keys(on).length > 0);
  return filled.length > 0 ? { providerOptions: Object.fromEntries(filled) } : {};
}

/**
 * Options as one model's client wants them: raw fields of a chat completion are only sent when they stand under the
 * provider's own id, OpenAI takes back no thoughts, and what Claude thinks fits in the tokens that are paid for.
 */
export function forModel(options: LanguageModelV4CallOptions, model: { provider: string; name: string }) {
  const { provider, name } = model;
  if (provider === "anthropic") return fitThinking(options, name);
  const prompt = THOUGHTLESS.includes(provider) ? withoutReasoning(options.prompt) : options.prompt;
  const compatible = options.providerOptions?.[COMPATIBLE];
  if (!compatible) return { ...options, prompt };
  return { ...options, prompt, providerOptions: { ...options.providerOptions, [provider]: compatible } };
}

const THOUGHTLESS = ["openai", "azure"];

function withoutReasoning(prompt: LanguageModelV4Prompt): LanguageModelV4Prompt {
  return prompt.flatMap((message): LanguageModelV4Prompt => {
    if (message.role !== "assistant") return [message];
    const content = message.content.filter(({ type }) => type !== "reasoning");
    return content.length > 0 ? [{ ...message, content }] : [];
  });
}
