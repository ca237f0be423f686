import * as z from "zod";
import type { ErrorCode } from "../errors.ts";

/** Calls that may follow an answer, each with all its arguments, so that it can be sent as it stands. */

/** More would be a menu and not a suggestion. */
const MOST = 3;

const NextCall = z.object({
  tool: z.string(),
  arguments: z.record(z.string(), z.unknown()),
  why: z.string(),
});
export type NextCall = z.output<typeof NextCall>;

/** A field of a tool's output; absent when nothing follows by itself. */
export const NextCalls = z.array(NextCall).max(MOST).optional().describe("Calls that may follow, ready to send");

/** `next` for an output: the first three, without arguments that are undefined. */
export function nextOf(calls: readonly (NextCall | false | null | undefined)[]): { next?: NextCall[] } {
  const next = calls.filter((call) => !!call).slice(0, MOST);
  return next.length > 0 ? { next } : {};
}

/** The same for the text channel. */
export const nextLines = (next: readonly NextCall[] = []): string[] =>
  next.map((call) => `Next, ${call.why}: ${call.tool} ${JSON.stringify(call.arguments)}`);

/** The fields that are given. */
export const given = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const ASK_USAGE: NextCall = { tool: "usage", arguments: { recent: 0 }, why: "what is left and when it resets" };
const ASK_WHO: NextCall = { tool: "whoami", arguments: {}, why: "the granted scopes and how to get more" };
const LIST: NextCall = { tool: "list_sessions", arguments: {}, why: "the session ids there are" };

/** What to call after a tool was refused, where a call helps. `input` as it was sent, unchecked. */
export function nextAfter(code: ErrorCode, tool: string, input: unknown): NextCall[] {
  const { session_id } = (typeof input === "object" && input !== null ? input : {}) as Record<string, unknown>;
  switch (code) {
    case "payment_required":
    case "budget_exceeded":
      return [ASK_USAGE];
    case "insufficient_scope":
      return tool === "whoami" ? [] : [ASK_WHO];
    case "resync_required":
      return tool === "sync_session" ? [fromTheBeginning(session_id)] : [];
    case "not_found":
      return tool === "sync_session" ? [LIST] : [];
    default:
      return [];
  }
}

function fromTheBeginning(session_id: unknown): NextCall {
  const asked = typeof session_id === "string" ? { session_id } : {};
  return { tool: "sync_session", arguments: asked, why: "from the beginning, without a cursor" };
}
