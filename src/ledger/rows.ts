import type { ModelShare } from "./charge.ts";
import type { CallItem, CallRecord, Settlement } from "./types.ts";

/** What the ledger's tables hold, as the ledger has it in memory. */

export interface Account {
  account: string;
  plan: string;
  /** When the plan was stated, in ms: an older statement does not undo it. 0 = as the account was opened. */
  planAsOf: number;
  /** Model that `auto` takes for this account, as it was named; null: the rules decide. */
  prefers: string | null;
}

/** A call as it waits to be copied to D1. `pos` orders the outbox; a changed record takes a new one. */
export interface OutboxRow extends CallRecord {
  pos: number;
  via: string;
  client: string | null;
  user: string;
  duration_ms: number | null;
  /** What of it other models than `model` have; absent: nothing. */
  shares?: ModelShare[];
  /** The tries of a call without a hold; those of others are in its entries. */
  tries?: readonly CallItem[];
}

export interface StoredResult {
  inputHash: string;
  callId: string;
  result: string;
  costNano: number;
  settlement?: Settlement;
}

/** Calls as they were journalled together: one row however many they are, so that a free call costs next to no write. */
export interface CallBatch {
  /** Position of its last call. */
  pos: number;
  calls: number;
  /** How many of its calls used a model. */
  metered: number;
  costNano: number;
  /** Months its calls fall in. */
  months: string[];
  /** JSON array of `OutboxRow`. */
  body: string;
}
