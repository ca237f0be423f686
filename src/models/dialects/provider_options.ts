import type { JSONObject, LanguageModelV4CallOptions, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { fitThinking } from "./anthropic_thinking.ts";
import { claudePrompt } from "./claude_prompt.ts";
import { defined } from "./fields.ts";
import { type Asked, knownNotToReason, withoutEffort } from "./no_reasoning.ts";
import type { AssistantPart } from "./prompt_builder.ts";
import { isSealed } from "./sealed.ts";

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
 * provider's own id, OpenAI takes back no thoughts and nobody those that Anthropic sealed, what is known not to reason is not
 * asked to, and Claude is asked as Anthropic allows, to think within the tokens that are paid for. `field`: of the request,
 * that holds the conversation.
 * @throws WaypostError `invalid_input` naming the field when it holds nothing that Claude could answer
 */
export function forModel(
  given: LanguageModelV4CallOptions,
  model: Asked,
  field = "messages",
): LanguageModelV4CallOptions {
  const { provider, name } = model;
  const options = knownNotToReason(model) ? withoutEffort(given) : given;
  if (provider === "anthropic") {
    return fitThinking({ ...options, prompt: claudePrompt(options.prompt, field) }, name);
  }
  const prompt = withoutThoughts(options.prompt, THOUGHTLESS.includes(provider) ? () => true : isSealed);
  const compatible = options.providerOptions?.[COMPATIBLE];
  if (!compatible) return { ...options, prompt };
  return { ...options, prompt, providerOptions: { ...options.providerOptions, [provider]: compatible } };
}

const THOUGHTLESS = ["openai", "azure"];

function withoutThoughts(
  prompt: LanguageModelV4Prompt,
  hidden: (thought: AssistantPart) => boolean,
): LanguageModelV4Prompt {
  return prompt.flatMap((message): LanguageModelV4Prompt => {
    if (message.role !== "assistant") return [message];
    const content = message.content.filter((part) => part.type !== "reasoning" || !hidden(part));
    return content.length > 0 ? [{ ...message, content }] : [];
  });
}
