import type {
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { type Block, blocksOf } from "./blocks.ts";
import { toolInput } from "./prompt_builder.ts";
import { totalsOf } from "./token_usage.ts";
import type { AnswerFacts } from "./types.ts";

/** A `message`. */
export function encodeMessage(result: LanguageModelV4GenerateResult, facts: AnswerFacts): Record<string, unknown> {
  const blocks = blocksOf(result);
  const calls = blocks.some(({ kind }) => kind === "tool");
  return {
    ...emptyMessage(facts),
    content: blocks.map(wholeBlock),
    stop_reason: stopReason(result.finishReason, calls),
    usage: messageUsageOf(result.usage),
  };
}

/** A message before its first word. */
export const emptyMessage = (facts: AnswerFacts) => ({
  id: `msg_${facts.id}`,
  type: "message",
  role: "assistant",
  model: facts.model,
  content: [],
  container: null,
  diagnostics: null,
  stop_reason: null,
  stop_sequence: null,
  stop_details: null,
});

function wholeBlock(block: Block): Record<string, unknown> {
  const empty = emptyBlock(block);
  if (block.kind === "tool") return { ...empty, input: toolInput(block.text) };
  if (block.kind === "text") return { ...empty, text: block.text };
  return block.redacted === undefined ? { ...empty, thinking: block.text, signature: block.signature ?? "" } : empty;
}

/** A block as a stream begins it. */
export function emptyBlock({ kind, id, name, redacted }: Block): Record<string, unknown> {
  if (kind === "tool") return { type: "tool_use", id, name, input: {}, caller: { type: "direct" } };
  if (kind === "text") return { type: "text", text: "", citations: null };
  if (redacted !== undefined) return { type: "redacted_thinking", data: redacted };
  return { type: "thinking", thinking: "", signature: "" };
}

export function stopReason({ unified, raw }: LanguageModelV4FinishReason, calls: boolean): string {
  if (unified === "content-filter") return "refusal";
  if (unified === "length" || unified === "interrupted") return "max_tokens";
  if (calls) return "tool_use";
  return raw === "stop_sequence" ? raw : "end_turn";
}

/** Tokens of the cache stand beside `input_tokens`, not in it. */
export function messageUsageOf(usage: LanguageModelV4Usage): Record<string, unknown> {
  const { fresh, cacheRead, cacheWrite, cacheWrite1h, output, reasoning } = totalsOf(usage);
  return {
    input_tokens: fresh,
    output_tokens: output,
    cache_read_input_tokens: cacheRead,
    cache_creation_input_tokens: cacheWrite,
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite - cacheWrite1h,
      ephemeral_1h_input_tokens: cacheWrite1h,
    },
    output_tokens_details: reasoning > 0 ? { thinking_tokens: reasoning } : null,
    server_tool_use: null,
    service_tier: null,
    inference_geo: null,
    speed: null,
  };
}
