import type { ChatMessage } from "../models/types.ts";
import type { Message, Session } from "../vault/types.ts";
import type { ChatReply } from "./chat_schema.ts";
import type { Call } from "./define.ts";

/** Id of the answer's message: the same for a repeated attempt, so that a turn is stored once. */
export const answerId = (attempt: string): string => `${attempt}-answer`;
/** Whether `fetch` is asked for such a message. */
export const isAnswerId = (id: string): boolean => /^msg:(?:call|at)_\w+-answer$/.test(id);

/**
 * Stores what the user said and what was answered as one unit. When it cannot be stored the call fails with the reason,
 * is billed for the model's work, and carries the answer in the error so that it is not lost.
 */
export async function storeTurn(
  call: Call,
  sessionId: string,
  session: Session | null,
  said: ChatMessage[],
  reply: ChatReply,
): Promise<void> {
  const created_at = new Date().toISOString();
  let parent_id = session?.messages.findLast(({ id }) => !id.startsWith(`${call.attempt}-`))?.id ?? null;
  const messages: Message[] = said.map(({ role, content }, i) => {
    const message = { id: `${call.attempt}-${i}`, parent_id, role, content, created_at };
    parent_id = message.id;
    return message;
  });
  const { model, text, citations, finish_reason } = reply;
  // A passage can be read again by its id.
  const cited = citations.map(({ snippet: _, ...where }) => where);
  const metadata = { finish_reason, ...(cited.length > 0 ? { citations: cited } : {}) };
  messages.push({ id: reply.id, parent_id, role: "assistant", content: text, created_at, model, metadata });
  const stored = await call.vault.appendTurn({ session_id: sessionId, messages, create: session === null });
  if (!stored.ok) call.failBilled(stored.code, stored.detail, { ...stored.extras, answer: text });
}
