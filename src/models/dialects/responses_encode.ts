import type {
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  LanguageModelV4Usage,
} from "@ai-sdk/provider";
import { type Block, blocksOf } from "./blocks.ts";
import { defined, isObject } from "./fields.ts";
import { writeSeal } from "./sealed.ts";
import { totalsOf } from "./token_usage.ts";
import type { AnswerFacts } from "./types.ts";

type Json = Record<string, unknown>;

/** A `response`. */
export function encodeResponse(result: LanguageModelV4GenerateResult, facts: AnswerFacts): Json {
  const items = blocksOf(result).map((block) => itemOf(block, facts));
  return endedResponse(items, result.finishReason, result.usage, facts);
}

/** A response before its first word; it repeats what was asked for. */
export function emptyResponse({ id, created, model, request }: AnswerFacts): Json {
  const reasoning = isObject(request.reasoning) ? request.reasoning : {};
  return {
    id: `resp_${id}`,
    object: "response",
    created_at: created,
    status: "in_progress",
    background: false,
    error: null,
    incomplete_details: null,
    instructions: request.instructions ?? null,
    max_output_tokens: request.max_output_tokens ?? null,
    model,
    output: [],
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: null,
    reasoning: { effort: reasoning.effort ?? null, summary: reasoning.summary ?? null },
    store: false,
    temperature: request.temperature ?? 1,
    text: { format: { type: "text" }, ...(isObject(request.text) ? request.text : {}) },
    tool_choice: request.tool_choice ?? "auto",
    tools: request.tools ?? [],
    top_p: request.top_p ?? 1,
    truncation: "disabled",
    usage: null,
    metadata: request.metadata ?? {},
  };
}

export function endedResponse(
  output: Json[],
  { unified }: LanguageModelV4FinishReason,
  usage: LanguageModelV4Usage,
  facts: AnswerFacts,
): Json {
  const reason = INCOMPLETE[unified];
  const incomplete_details = reason ? { reason } : null;
  const status = reason ? "incomplete" : "completed";
  return { ...emptyResponse(facts), status, incomplete_details, output, usage: responsesUsageOf(usage) };
}

const INCOMPLETE: Partial<Record<LanguageModelV4FinishReason["unified"], string>> = {
  length: "max_output_tokens",
  interrupted: "max_output_tokens",
  "content-filter": "content_filter",
};

/** An item of `output`, complete. */
export function itemOf(block: Block, facts: AnswerFacts): Json {
  const item = emptyItem(block, facts);
  if (block.kind === "tool") return { ...item, status: "completed", arguments: block.text };
  if (block.kind === "text") return { ...item, status: "completed", content: [textPart(block.text)] };
  const encrypted_content = asksForSeals(facts) ? writeSeal(block) : undefined;
  const summary = block.text === "" ? [] : [{ type: "summary_text", text: block.text }];
  return defined({ ...item, summary, encrypted_content });
}

const asksForSeals = ({ request: { include } }: AnswerFacts): boolean =>
  Array.isArray(include) && include.includes("reasoning.encrypted_content");

/** An item as a stream begins it. */
export function emptyItem({ kind, id, name, n }: Block, facts: AnswerFacts): Json {
  const own = `${facts.id}_${n}`;
  if (kind === "tool") {
    return { id: `fc_${own}`, type: "function_call", status: "in_progress", call_id: id, name, arguments: "" };
  }
  if (kind === "reasoning") return { id: `rs_${own}`, type: "reasoning", summary: [] };
  return { id: `msg_${own}`, type: "message", status: "in_progress", role: "assistant", content: [] };
}

export const textPart = (text: string): Json => ({ type: "output_text", text, annotations: [], logprobs: [] });

/** Cached tokens are a part of the input, reasoning a part of the output. */
function responsesUsageOf(usage: LanguageModelV4Usage): Json {
  const { input, output, cacheRead, cacheWrite, reasoning } = totalsOf(usage);
  return {
    input_tokens: input,
    input_tokens_details: { cached_tokens: cacheRead, cache_write_tokens: cacheWrite },
    output_tokens: output,
    output_tokens_details: { reasoning_tokens: reasoning },
    total_tokens: input + output,
  };
}
