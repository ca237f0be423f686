import type { OutboxRow } from "./rows.ts";
import type { CallFacts } from "./types.ts";

/** Lines of the usage records for calls that no settlement describes. */

/** A call that uses no model, booked as done when it is admitted. */
export function freeCall(call: CallFacts, by: { keyId: string; user: string }, at: number): OutboxRow {
  return {
    ...nothingUsed,
    id: call.callId,
    at: new Date(at).toISOString(),
    tool: call.tool,
    key_id: by.keyId,
    user: by.user,
    via: call.via,
    client: call.client ?? null,
    session_id: call.session ?? null,
    status: "ok",
  };
}

/** A call whose hold was given back because it never ended. */
export function expiredCall(
  call: { callId: string; tool: string; keyId: string },
  model: string,
  at: number,
): OutboxRow {
  return {
    ...nothingUsed,
    id: call.callId,
    at: new Date(at).toISOString(),
    tool: call.tool,
    model,
    key_id: call.keyId,
    user: "",
    via: "",
    client: null,
    status: "expired",
  };
}

const nothingUsed = {
  pos: 0,
  model: null,
  session_id: null,
  input_tokens: 0,
  output_tokens: 0,
  cost_nano: 0,
  credit_nano: 0,
  estimated: false,
  duration_ms: null,
};
