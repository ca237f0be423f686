import { takesTemperature } from "../limits.ts";
import { isOverload } from "../refusals.ts";
import type { ChatMessage, FinishReason } from "../types.ts";
import { StreamedUsage, usageOf } from "../usage/usage.ts";
import type { Heard, Said, Wire } from "./wire.ts";

/** Anthropic's Messages API. */
export const anthropicWire: Wire = {
  path: "/messages",
  body: (info, _provider, messages, { maxOutputTokens, temperature, streamed }) =>
    JSON.stringify({
      model: info.name,
      ...promptOf(messages),
      max_tokens: maxOutputTokens,
      ...(temperature === undefined || !takesTemperature(info.name) ? {} : { temperature: Math.min(temperature, 1) }),
      ...(streamed ? { stream: true } : {}),
    }),
  whole: readMessage,
  reader: streamReader,
};

/** Instructions stand apart from the turns, which begin with the user's and are never empty. */
function promptOf(messages: readonly ChatMessage[]): { system?: string; messages: ChatMessage[] } {
  const written = messages.filter(({ content }) => content.trim() !== "");
  const system = written.filter(({ role }) => role === "system").map(({ content }) => content);
  const turns = written.filter(({ role }) => role !== "system");
  // A history that was shortened may begin with an answer, and what was cut off cannot be known.
  if (turns[0]?.role !== "user") turns.unshift({ role: "user", content: "…" });
  // An answer that is to be continued may not end in white space.
  const last = turns.at(-1);
  if (last?.role === "assistant") turns[turns.length - 1] = { ...last, content: last.content.trimEnd() };
  return { ...(system.length > 0 ? { system: system.join("\n\n") } : {}), messages: turns };
}

const REASONS: Record<string, FinishReason> = {
  end_turn: "stop",
  stop_sequence: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null;
const nothing: Said = { text: "", reasoning: "", reason: undefined, usage: undefined };

function readMessage(json: string): Said | undefined {
  const message = parse(json);
  if (message?.type !== "message" || !Array.isArray(message.content)) return undefined;
  const blocks = message.content.filter(isObject);
  return {
    text: blocks.map(({ type, text }) => (type === "text" ? wordsOf(text) : "")).join(""),
    reasoning: blocks.map(({ thinking }) => wordsOf(thinking)).join(""),
    reason: reasonOf(message.stop_reason),
    usage: usageOf("anthropic", message) ?? undefined,
  };
}

function streamReader(): (data: string) => Heard {
  const usage = new StreamedUsage("anthropic");
  return (data) => {
    const event = parse(data);
    if (!event) return undefined;
    switch (event.type) {
      case "message_start":
        usage.read(event);
        return { ...nothing, prompt: usage.usage ?? undefined };
      case "content_block_delta":
        return deltaOf(event.delta);
      case "message_delta": {
        if (!isObject(event.delta)) return undefined;
        usage.read(event);
        return {
          ...nothing,
          reason: reasonOf(event.delta.stop_reason),
          usage: usage.complete ? (usage.usage ?? undefined) : undefined,
        };
      }
      case "message_stop":
        return "end";
      case "error":
        return isOverload(event.error) ? "busy" : undefined;
      default:
        // Pings, and kinds that are yet to be invented, which clients are asked to pass over.
        return typeof event.type === "string" ? nothing : undefined;
    }
  };
}

function deltaOf(delta: unknown): Said | undefined {
  if (!isObject(delta)) return undefined;
  if (delta.type === "text_delta") return typeof delta.text === "string" ? { ...nothing, text: delta.text } : undefined;
  return { ...nothing, reasoning: wordsOf(delta.thinking) };
}

const wordsOf = (value: unknown): string => (typeof value === "string" ? value : "");

function reasonOf(reason: unknown): FinishReason | undefined {
  return typeof reason === "string" ? (REASONS[reason] ?? "other") : undefined;
}

function parse(json: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
