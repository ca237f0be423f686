import { isReasoningModel } from "./limits.ts";
import type { Heard, Said, Wire } from "./providers/wire.ts";
import type { FinishReason } from "./types.ts";
import { usageOf } from "./usage/usage.ts";

/** OpenAI's chat completions, which most servers speak. */
export const openAIWire: Wire = {
  path: "/chat/completions",
  body: (info, provider, messages, { maxOutputTokens, temperature, streamed }) => {
    const reasoning = (provider.kind === "openai" || provider.kind === "azure") && isReasoningModel(info.model);
    return JSON.stringify({
      model: info.name,
      messages,
      ...(reasoning ? { max_completion_tokens: maxOutputTokens } : { max_tokens: maxOutputTokens }),
      ...(temperature === undefined || reasoning ? {} : { temperature }),
      ...(streamed ? { stream: true, stream_options: { include_usage: true } } : {}),
    });
  },
  whole: (json) => read(json, "message"),
  reader: () => readEvent,
};

const readEvent = (data: string): Heard => (data === "[DONE]" ? "end" : read(data, "delta"));

const REASONS: Record<string, FinishReason> = {
  stop: "stop",
  length: "length",
  content_filter: "content_filter",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
};

type Fields = Record<string, unknown>;

/** A `chat.completion`, or a piece of one; undefined when it is neither, e.g. an error in the middle of a stream. */
function read(json: string, part: "delta" | "message"): Said | undefined {
  let body: unknown;
  try {
    body = JSON.parse(json);
  } catch {
    return undefined;
  }
  if (!isObject(body) || body.error || !Array.isArray(body.choices)) return undefined;
  // The last piece of a stream holds the usage and nothing else.
  const choice: unknown = body.choices[0] ?? (part === "delta" ? {} : undefined);
  if (!isObject(choice)) return undefined;
  const given = choice[part] ?? {};
  if (!isObject(given)) return undefined;
  const text = given.content ?? "";
  const reasoning = given.reasoning_content ?? given.reasoning ?? "";
  // Some servers send an empty one until there is one.
  const reason = choice.finish_reason || undefined;
  if (typeof text !== "string" || (reason !== undefined && typeof reason !== "string")) return undefined;
  return {
    text,
    reasoning: typeof reasoning === "string" ? reasoning : "",
    reason: reason === undefined ? undefined : (REASONS[reason] ?? "other"),
    usage: (body.usage ? usageOf("openai-chat", body.usage) : null) ?? undefined,
  };
}

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;
