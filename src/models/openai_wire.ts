import type { TokenUsage } from "../ledger/money.ts";
import type { FinishReason } from "./types.ts";
import { usageOf } from "./usage/usage.ts";

/** What one piece of an answer, or all of it, says. */
export interface Said {
  text: string;
  /** Thinking that is billed as output and not shown. */
  reasoning: string;
  /** Undefined while the answer goes on. */
  reason: FinishReason | undefined;
  /** Undefined when none was sent or it makes no sense. */
  usage: TokenUsage | undefined;
}

/** A `chat.completion.chunk`; undefined when it is none, e.g. an error in the middle of a stream. */
export const readChunk = (json: string): Said | undefined => read(json, "delta");

/** A `chat.completion`; undefined when it is none. */
export const readCompletion = (json: string): Said | undefined => read(json, "message");

const REASONS: Record<string, FinishReason> = {
  stop: "stop",
  length: "length",
  content_filter: "content_filter",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
};

type Fields = Record<string, unknown>;

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
  const reason = choice.finish_reason ?? undefined;
  if (typeof text !== "string" || (reason !== undefined && typeof reason !== "string")) return undefined;
  return {
    text,
    reasoning: typeof reasoning === "string" ? reasoning : "",
    reason: reason === undefined ? undefined : (REASONS[reason] ?? "other"),
    usage: (body.usage ? usageOf("openai-chat", body.usage) : null) ?? undefined,
  };
}

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;
