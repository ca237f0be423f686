import type { ErrorCode, ErrorExtras } from "../errors.ts";
import type { NoticeInfo } from "./budget_types.ts";
import type { TokenPrice, TokenUsage } from "./money.ts";
import type { Forecast, UsageAnswers, UsageReads } from "./report_types.ts";

export type * from "./credit_types.ts";
export type * from "./key_types.ts";

/** Calls allowed in any trailing window. */
export interface RateLimits {
  minute: number;
  hour: number;
  day: number;
}

export interface Plan {
  id: string;
  rate: RateLimits;
  /** Tokens of priced models included each month; null = unlimited. */
  monthlyTokens: number | null;
  /** What the plan itself costs a month, in nano-USD; null or absent = as agreed. */
  nanoUsdMonth?: number | null;
  /** Limits of single tools, within those of the plan. */
  tools?: Readonly<Record<string, Partial<RateLimits>>>;
}

/** A model and what its tokens cost. */
export interface PricedModel {
  model: string;
  provider: string;
  price: TokenPrice;
  markupBps: number;
  /** Markup of accounts on these plans, in place of `markupBps`. The admission settles which one holds. */
  planMarkups?: Record<string, number>;
}

/** The most one call of models can cost. The ledger prices it, clamps the output, and holds it. */
export interface HoldRequest extends PricedModel {
  /** Models that may answer in its place: what is held covers the dearest of them all. */
  alternatives?: PricedModel[];
  /** Upper bound of the input tokens. */
  inputTokens: number;
  /** Output tokens wanted; the grant may be lower, never below `minOutputTokens`. */
  maxOutputTokens: number;
  minOutputTokens: number;
}

/** Who pays: the month's included tokens, or prepaid credit. Decided once, when the hold is placed. */
export type Funding = "included" | "credit";

/** What both ends of a call tell the ledger about it. */
export interface CallFacts {
  account: string;
  callId: string;
  tool: string;
  via: "mcp" | "rest";
  client?: string;
  /** The saved session the call belongs to. */
  session?: string;
  /** `inputHash` covers tool and validated input. */
  idempotency?: { key: string; inputHash: string };
}

/** Who is calling: an API key, to be verified here, or somebody whose token was verified before. */
export type Caller = { keyHash: string } | { verified: VerifiedCaller };

/** Somebody whose OAuth token or external JWT was verified: what the ledger goes by in place of a key. */
export interface VerifiedCaller {
  /** What reports and idempotency know the credential by: `grant_…` or `jwt_…`. */
  id: string;
  user: string;
  scopes: string[];
  /** Plan as the issuer states it, and when it stated it (ms since the epoch): an older statement never undoes a newer one. */
  plan?: { id: string; asOf: number };
}

export interface AdmitRequest extends CallFacts {
  caller: Caller;
  /** null: any good credential will do. */
  scope: string | null;
  hold?: HoldRequest;
  /** No window counts it; it costs nothing, and has a limit of its own. */
  uncounted?: boolean;
  /** The call will report what it used when it ends; otherwise it is booked as done at once, and only a failure is reported. */
  metered: boolean;
  /** What to report about usage, as of this admission. */
  reads?: UsageReads;
  /** Tell the model that the account prefers. Where there is one, nothing is held yet: the call knows better what it will cost. */
  prefers?: boolean;
}

export interface Identity {
  account: string;
  user: string;
  /** The API key's id, or that of the grant or token in its place. */
  keyId: string;
  scopes: string[];
  plan: string;
}

/** State of one window after the decision, for the rate-limit headers. */
export interface WindowState {
  name: "minute" | "hour" | "day";
  limit: number;
  remaining: number;
  /** Milliseconds until at least one more call is free; 0 when `remaining` > 0. */
  retryAfterMs: number;
  /** Milliseconds until the window is as good as empty if nothing more is called. */
  resetMs: number;
}

export type AdmitReply =
  | ({
      kind: "admitted";
      identity: Identity;
      windows: WindowState[];
      grantedOutputTokens?: number;
      /** Only where it was asked for, and there is one. */
      preferred?: string;
    } & UsageAnswers)
  | ({ kind: "replay"; identity: Identity; windows: WindowState[] } & KeptAnswer)
  | Refusal;

export interface Refusal {
  kind: "refused";
  code: ErrorCode;
  detail: string;
  extras?: ErrorExtras;
  windows?: WindowState[];
}

/** Who a key belongs to, without counting a call. */
export type IdentifyReply = { kind: "identified"; identity: Identity } | Refusal;

export interface ReserveRequest extends CallFacts {
  keyId: string;
  hold: HoldRequest;
}

/** Why a model did not answer: what it failed with, or that it was not asked, since its provider's circuit is open. */
export type NotAnswered = ErrorCode | "passed_over";

/** One try at a model within a call. What one call used is charged as one sum, and itemised by these. */
export interface CallItem {
  /** One of those the hold names. */
  model: string;
  outcome: "ok" | NotAnswered;
  /** Absent: nothing was used. */
  usage?: TokenUsage;
  estimated?: boolean;
}

/**
 * How a call ended. Carries the facts of the call again, so that a ledger that restarted meanwhile still bills it, once.
 */
export interface SettleRequest extends CallFacts {
  /** As in the admission: an unmetered call has been booked already. */
  metered: boolean;
  keyId: string;
  user: string;
  /** The hold that was granted, if there was one. */
  hold?: HoldRequest;
  /** Tries at models, in the order in which they ended; what they used is charged as one sum. */
  items: readonly CallItem[];
  /** Error code when the call failed, with or without having used something. */
  error?: ErrorCode;
  /** JSON of the result, kept for replays when the call carried an idempotency key; as `keepable` gives it. */
  result?: string;
  durationMs: number;
}

/** What the settlement posted. */
export interface Settlement {
  costNano: number;
  creditNano: number;
  funding: Funding | null;
  balanceNano: number;
  /** Version of the price; null when nothing was priced, or the price has none. */
  priceVersion: string | null;
  /** What was left when this was posted. */
  left: Left;
}

/** The result that is kept for an idempotency key, of the call that was charged. */
export interface KeptAnswer {
  callId: string;
  /** JSON, as `keepable` gives it. */
  result: string;
  costNano: number;
  settlement?: Settlement;
}

/** What ending a call came to. */
export interface Ended extends Settlement {
  /** Another call with the same idempotency key ended first: this one costs nothing, and its caller gets that answer. */
  kept?: KeptAnswer;
}

/** Plan tokens until the month ends (null: unlimited), and prepaid credit that is not held by running calls. */
export interface Left {
  plan_tokens: number | null;
  resets_at: string;
  credit_nano: number;
}

/** Usage that happened elsewhere, priced, to be booked. */
export interface RelayedEvent {
  /** Unique over all accounts: it becomes the call's id. */
  callId: string;
  /** Milliseconds since the epoch. */
  at: number;
  model: string;
  provider: string;
  usage: TokenUsage;
  price: TokenPrice;
  markupBps: number;
  /** Saved session it belongs to, for reports. */
  sessionId: string | null;
  /** Kept with the charge. */
  detail: Record<string, unknown>;
}

/**
 * `late`: older than what is still taken; `early`: after now. Cost in nano-USD; a duplicate cost nothing again, nor does a
 * `conflict`: its id was booked with another model or usage.
 */
export type RelayedOutcome =
  | { status: "accepted"; costNano: number; funding: Funding }
  | { status: "duplicate" }
  | { status: "conflict"; booked: { model: string; inputTokens: number; outputTokens: number } }
  | { status: "refused"; reason: "late" | "early" | "too_large" };

export interface UsageTotals {
  calls: number;
  errors: number;
  input_tokens: number;
  output_tokens: number;
  cost_nano: number;
}

export interface CallRecord {
  id: string;
  at: string;
  tool: string;
  model: string | null;
  key_id: string;
  input_tokens: number;
  output_tokens: number;
  cost_nano: number;
  /** Part of the cost drawn from prepaid credit; the rest was covered by the plan's tokens. */
  credit_nano: number;
  status: string;
  estimated: boolean;
  session_id: string | null;
}

export interface UsageReport {
  month: string;
  plan: string;
  total: UsageTotals;
  by_model: Record<string, UsageTotals>;
  by_tool: Record<string, UsageTotals>;
  by_key: Record<string, UsageTotals>;
  by_day: Record<string, UsageTotals>;
  tokens: { included: number | null; used: number; reserved: number; remaining: number | null; resets_at: string };
  balance: { credit_nano: number; reserved_nano: number; available_nano: number };
  windows: WindowState[];
  recent: CallRecord[];
  /** null: the month is over. */
  forecast: Forecast | null;
  /** Newest first. */
  notices: NoticeInfo[];
}

/** The books of one ledger checked against themselves. `consistent` is what must always hold. */
export interface LedgerAudit {
  balance_nano: number;
  entries_sum_nano: number;
  reserved_nano: number;
  open_holds: number;
  open_holds_sum_nano: number;
  settled_cost_nano: number;
  entries: number;
  outbox_pending: number;
  consistent: boolean;
}
