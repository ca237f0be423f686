import type {
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { type Block, blocksOf } from "./blocks.ts";
import { totalsOf } from "./token_usage.ts";
import type { AnswerFacts } from "./types.ts";

/** A `chat.completion`. */
export function encodeChat(result: LanguageModelV4GenerateResult, facts: AnswerFacts): Record<string, unknown> {
  const blocks = blocksOf(result);
  const words = textOf(blocks, "text");
  const reasoning = textOf(blocks, "reasoning");
  const calls = blocks.filter(({ kind }) => kind === "tool");
  const message = {
    role: "assistant",
    content: words === "" && calls.length > 0 ? null : words,
    refusal: null,
    ...(reasoning === "" ? {} : { reasoning_content: reasoning }),
    ...(calls.length === 0 ? {} : { tool_calls: calls.map(toolCall) }),
  };
  const finish_reason = chatFinish(result.finishReason, calls.length > 0);
  return {
    id: `chatcmpl-${facts.id}`,
    object: "chat.completion",
    created: facts.created,
    model: facts.model,
    choices: [{ index: 0, message, logprobs: null, finish_reason }],
    usage: chatUsageOf(result.usage),
  };
}

const textOf = (blocks: Block[], kind: Block["kind"]): string =>
  blocks.flatMap((block) => (block.kind === kind ? [block.text] : [])).join("");

const toolCall = ({ id, name, text }: Block) => ({ id, type: "function", function: { name, arguments: text } });

export function chatFinish({ unified }: LanguageModelV4FinishReason, calls: boolean): string {
  if (unified === "content-filter") return "content_filter";
  if (unified === "length" || unified === "interrupted") return "length";
  return calls ? "tool_calls" : "stop";
}

/** Cached tokens are a part of the prompt's, reasoning a part of the completion's. */
export function chatUsageOf(usage: LanguageModelV4Usage): Record<string, unknown> {
  const { input, output, cacheRead, cacheWrite, reasoning } = totalsOf(usage);
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cacheRead, ...(cacheWrite > 0 ? { cache_write_tokens: cacheWrite } : {}) },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}
