import type { ChatReply } from "./chat_schema.ts";
import { answerId } from "./chat_turn.ts";

/** The finish reason of an answer that is still being written. */
export const LATER = "later";

/** What a client is answered that waits no longer: where the answer will be, and what to make of it if it is not. */
export function later({ callId, attempt, session }: { callId: string; attempt: string; session: string }): ChatReply {
  const id = answerId(attempt);
  return {
    id,
    model: "",
    provider: "",
    why: "it takes longer than a client waits",
    text:
      `The model is still writing; the call goes on and will be billed once. Within two minutes its answer is message ${id} of ` +
      `session ${session}. Do not ask again. If it is not there ` +
      `after two minutes, the call failed: usage tells why under ${callId}.`,
    finish_reason: LATER,
    grounded: false,
    citations: [],
    usage: { input_tokens: 0, output_tokens: 0, cache_read_tokens: 0, estimated: false },
    cost: { nano_usd: 0, usd: "0", call_id: callId },
    session_id: session,
    next: [{ tool: "fetch", arguments: { id: `msg:${id}` }, why: "in a minute or two, for the answer" }],
  };
}
