import type { Credential } from "../auth/bearer.ts";
import { type ErrorCode, type ErrorExtras, WaypostError } from "../errors.ts";
import type { CallOutcome } from "../gate/gate.ts";
import type { Asked } from "../tools/confirm.ts";
import type { Progress } from "./answer_log.ts";

/** What doors and the object of an account's runs say to each other: JSON, since errors and tools do not travel. */

/** A call to run. */
export interface RunRequest {
  tool: string;
  input: unknown;
  credential: Credential;
  via: "mcp" | "rest";
  requestId: string;
  client?: string;
  idempotencyKey?: string;
  /** `sse`: the events as REST sends them. `lines`: one JSON `Line` a line, for a door that reads them itself. */
  as: "sse" | "lines";
  /** Pieces are wanted as they come. */
  streamed: boolean;
  asked?: Asked;
  /** How its client refers to it when it cancels. */
  alias?: string;
}

/** A reader that comes back. */
export interface ResumeRequest {
  callId: string;
  user: string;
  /** Place to go on from. */
  after: number;
  requestId: string;
  /** Asked for by making the call again: it is that call only if it runs with this key and input. */
  repeats?: { idempotencyKey: string; input: unknown };
}

export interface CancelRequest {
  user: string;
  callId: string;
}

export interface Cancelled {
  call_id: string;
  /** False: it had ended already. */
  cancelled: boolean;
  /** What it was charged, in nano-USD. */
  cost_nano: number;
}

/** A call that goes on while its client waits no longer. */
export interface Handle {
  callId: string;
  attempt: string;
  session: string;
}

export type Line =
  | { delta: string }
  | { progress: Progress }
  | { outcome: WireOutcome }
  | { handle: Handle }
  /** Nothing new, but still there. */
  | { waiting: true };

type Failed = Extract<CallOutcome, { ok: false }>;
export type WireOutcome =
  | Extract<CallOutcome, { ok: true }>
  | (Omit<Failed, "error"> & { error: { code: ErrorCode; detail: string; extras: ErrorExtras } });

export function toWire(outcome: CallOutcome): WireOutcome {
  if (outcome.ok) return outcome;
  const { code, detail, extras } = outcome.error;
  return { ...outcome, error: { code, detail, extras } };
}

export function fromWire(outcome: WireOutcome): CallOutcome {
  if (outcome.ok) return outcome;
  const { code, detail, extras } = outcome.error;
  return { ...outcome, error: new WaypostError(code, detail, extras) };
}

/** `Last-Event-ID` of a stream here: the call, and the place that was read. Null: it is none of ours. */
export function parseEventId(id: string | null | undefined): { callId: string; after: number } | null {
  const [, callId, place] = /^(call_[0-9a-z]{1,64}):(\d{1,9})$/.exec(id ?? "") ?? [];
  return callId === undefined ? null : { callId, after: Number(place) };
}

export const eventId = (callId: string, place: number): string => `${callId}:${place}`;
