import { estimateTokens } from "./tokens.ts";
import type { ChatMessage } from "./types.ts";

/** What was said before in a session: which of it goes into a prompt, and in what words. Pure. */

/** A message as sessions store it. Tool calls are in the metadata, as the client that made them wrote them. */
export interface HistoryMessage {
  role: ChatMessage["role"] | "tool";
  content: string;
  metadata?: Record<string, unknown>;
}

/**
 * The newest part that fits a budget, in order: it begins with a message of the user's, and no tool's result is parted from
 * its call. System messages that open the conversation come along, unless they would take more than half. Results of no call
 * and messages without words are left out.
 */
export function trimHistory<M extends HistoryMessage>(messages: readonly M[], budgetTokens: number): M[] {
  const spoken = messages.filter(said);
  const calls = callOf(spoken);
  const told = spoken.filter(({ role }, i) => role !== "tool" || calls[i] !== undefined);
  const start = told.findIndex(({ role }) => role !== "system");
  const opening = told.slice(0, Math.max(0, start));
  const taken = size(opening);
  const pinned = taken <= budgetTokens / 2 ? opening : [];
  const rest = newest(start < 0 ? [] : told.slice(start), budgetTokens - (pinned.length > 0 ? taken : 0));
  return rest.length > 0 ? [...pinned, ...rest] : [];
}

/** The longest end of a conversation that opens with the user and fits. */
function newest<M extends HistoryMessage>(messages: readonly M[], budget: number): M[] {
  const calls = callOf(messages);
  let left = budget;
  let earliestCall = messages.length;
  let from = messages.length;
  for (let i = messages.length - 1; i >= 0; i--) {
    const message = messages[i] as M;
    left -= size([message]);
    if (left < 0) break;
    earliestCall = Math.min(earliestCall, calls[i] ?? i);
    if (message.role === "user" && earliestCall >= i) from = i;
  }
  return messages.slice(from);
}

/** For each tool result the place of the message that called the tool: the one with its id, else the assistant just before. */
function callOf(messages: readonly HistoryMessage[]): (number | undefined)[] {
  const byId = new Map<string, number>();
  let speaker: number | undefined;
  return messages.map((message, i) => {
    if (message.role !== "tool") {
      speaker = message.role === "assistant" ? i : undefined;
      for (const { id } of message.role === "assistant" ? toolCalls(message) : []) if (id) byId.set(id, i);
      return undefined;
    }
    const { tool_call_id: id } = message.metadata ?? {};
    return (typeof id === "string" ? byId.get(id) : undefined) ?? speaker;
  });
}

/**
 * As messages that every chat model reads. A call is told in the assistant's words, its result in a message of the user's:
 * results are data, fenced like passages, because whoever wrote them is not the user.
 */
export function asChatMessages(messages: readonly HistoryMessage[], fence: (text: string) => string): ChatMessage[] {
  const told: ChatMessage[] = [];
  let before: HistoryMessage["role"] | undefined;
  for (const message of messages) {
    if (!said(message)) continue;
    const { role } = message;
    const last = told.at(-1);
    if (role !== "tool") told.push({ role, content: inWords(message) });
    else if (before === "tool" && last) last.content += `\n\n${resultOf(message, fence)}`;
    else told.push({ role: "user", content: resultOf(message, fence) });
    before = role;
  }
  return told;
}

const resultOf = ({ content }: HistoryMessage, fence: (text: string) => string): string =>
  `Result of the tool:\n${fence(content)}`;

/** Tokens of the text around a message, a fence included. */
const AROUND = 4;
const AROUND_RESULT = 64;

/** What messages take in a prompt. */
const size = (messages: readonly HistoryMessage[]): number =>
  messages.reduce(
    (sum, message) => sum + estimateTokens(inWords(message)) + (message.role === "tool" ? AROUND_RESULT : AROUND),
    0,
  );

const said = (message: HistoryMessage): boolean => inWords(message) !== "";

function inWords(message: HistoryMessage): string {
  const calls = toolCalls(message).map(({ name, input }) => `(Called the tool ${name} with ${input}.)`);
  return [message.content, ...calls].filter(Boolean).join("\n");
}

interface ToolCall {
  id: string;
  name: string;
  input: string;
}

/** The calls in a message's metadata, as OpenAI's (`function.arguments`), Anthropic's (`input`) or MCP's clients (`arguments`) keep them. */
function toolCalls({ role, metadata }: HistoryMessage): ToolCall[] {
  const calls = role === "assistant" ? metadata?.tool_calls : undefined;
  if (!Array.isArray(calls)) return [];
  return calls.flatMap((call: unknown) => {
    const { id, function: named, ...flat } = fields(call);
    const { name, arguments: given, input = given } = named ? fields(named) : flat;
    if (typeof name !== "string") return [];
    const text = typeof input === "string" ? input : JSON.stringify(input ?? {});
    return [{ id: typeof id === "string" ? id : "", name, input: text }];
  });
}

const fields = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
