import type { Hold } from "./books.ts";
import type { SettledFacts } from "./call_details.ts";
import { LEASE_MS } from "./ledger_parts.ts";
import type { OutboxRow } from "./rows.ts";
import type { CallFacts } from "./types.ts";

/** Lines of the usage records for calls that no settlement describes. */

/** A call that uses no model, booked as done when it is admitted. */
export const freeCall = (call: CallFacts, by: { keyId: string; user: string }, at: number): OutboxRow =>
  unused({
    id: call.callId,
    at: isoOf(at),
    tool: call.tool,
    model: null,
    key_id: by.keyId,
    user: by.user,
    via: call.via,
    client: call.client ?? null,
    session_id: call.session ?? null,
    status: "ok",
  });

/** Under load many calls have their millisecond in common. */
let last = { at: Number.NaN, iso: "" };

function isoOf(at: number): string {
  if (at !== last.at) last = { at, iso: new Date(at).toISOString() };
  return last.iso;
}

/** What the entry of an expired hold keeps of its call, which began when the hold was placed. */
export const expiredFacts = ({ tool, expiresAt, by }: Hold): SettledFacts => ({
  tool,
  user: by?.user ?? "",
  via: by?.via ?? "",
  client: by?.client ?? null,
  session_id: by?.session ?? null,
  status: "expired",
  estimated: false,
  duration_ms: null,
  begun_at: expiresAt - LEASE_MS,
});

/** The same of calls that expired before their entries kept it: they were dated at the end of the lease. */
export const unknownFacts = (tool: string, at: number): SettledFacts => ({
  ...{ tool, user: "", via: "", client: null, session_id: null },
  ...{ status: "expired", estimated: false, duration_ms: null, begun_at: at },
});

/** A call whose hold was given back because it never ended, on the day it began. */
export const expiredCall = (call: { callId: string; keyId: string }, model: string, facts: SettledFacts): OutboxRow =>
  unused({
    id: call.callId,
    at: new Date(facts.begun_at).toISOString(),
    tool: facts.tool,
    model,
    key_id: call.keyId,
    user: facts.user,
    via: facts.via,
    client: facts.client,
    session_id: facts.session_id,
    status: "expired",
  });

type Named = Pick<
  OutboxRow,
  "id" | "at" | "tool" | "model" | "key_id" | "user" | "via" | "client" | "session_id" | "status"
>;

/** Every call passes here, and an object that takes in another is put together far slower than one that is written out. */
const unused = ({ id, at, tool, model, key_id, user, via, client, session_id, status }: Named): OutboxRow => ({
  pos: 0,
  id,
  at,
  tool,
  model,
  key_id,
  user,
  via,
  client,
  session_id,
  input_tokens: 0,
  output_tokens: 0,
  cost_nano: 0,
  credit_nano: 0,
  status,
  estimated: false,
  duration_ms: null,
});
