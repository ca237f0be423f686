import type { ErrorCode, ErrorExtras } from "../errors.ts";
import type { TokenPrice, TokenUsage } from "./money.ts";

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
}

/** The most one model call can cost. The ledger prices it, clamps the output, and holds it. */
export interface HoldRequest {
  model: string;
  provider: string;
  price: TokenPrice;
  markupBps: number;
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
  /** The call will report what it used when it ends; otherwise it is booked as done at once, and only a failure is reported. */
  metered: boolean;
  /** Ask for the usage report as of this admission. `month` is `YYYY-MM`, default the current one. */
  reads?: { recent: number; month?: string };
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
  | { kind: "admitted"; identity: Identity; windows: WindowState[]; grantedOutputTokens?: number; usage?: UsageReport }
  | { kind: "replay"; identity: Identity; windows: WindowState[]; callId: string; result: string; costNano: number }
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
  /** Absent: nothing was used. */
  usage?: TokenUsage;
  /** Model that was used; absent when none was. */
  model?: string;
  estimated?: boolean;
  /** Error code when the call failed, with or without having used something. */
  error?: ErrorCode;
  /** JSON of the result, kept for replays when the call carried an idempotency key. */
  result?: string;
  durationMs: number;
}

/** What the settlement posted. */
export interface Settlement {
  costNano: number;
  creditNano: number;
  funding: Funding | null;
  balanceNano: number;
}

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
}

/** The most a key's calls may be worth, whoever pays: in a calendar month (UTC), or ever. */
export interface KeyBudget {
  nano_usd: number;
  period: "month" | "total";
}

/** Whose credential makes or changes a key: it gives away no more than it has. Absent = the operator, for another account. */
export interface KeyAuthor {
  keyId: string;
  user: string;
  scopes: readonly string[];
}

export interface KeySpec {
  id: string;
  hash: string;
  name: string;
  user: string;
  scopes: string[];
  /** Milliseconds since the epoch; null = never. */
  expiresAt: number | null;
  limits: Partial<RateLimits> | null;
  budget?: KeyBudget | null;
}

/** What can be changed about a key; what is absent stays. */
export interface KeyChanges {
  name?: string;
  limits?: Partial<RateLimits> | null;
  budget?: KeyBudget | null;
  /** Milliseconds since the epoch until which the secret before the last rotation works. */
  previousUntil?: number;
}

export interface KeyInfo {
  id: string;
  name: string;
  user: string;
  scopes: string[];
  created_at: string;
  /** Id of the credential it was made with; null when that is not known. */
  created_by: string | null;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  limits: Partial<RateLimits> | null;
  budget: (KeyBudget & { spent_nano: number; reserved_nano: number; resets_at: string | null }) | null;
  /** The key's secret before its last rotation: until when it works, and its last use since. */
  previous: { expires_at: string; last_used_at: string | null } | null;
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
