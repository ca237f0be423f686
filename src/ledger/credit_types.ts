/** What moves prepaid credit outside of calls; a notice moves nothing and says what happened. */
export type MovementKind = "credit" | "refund" | "dispute" | "adjust" | "notice";

/** One movement of prepaid credit, posted once per kind and id. */
export interface CreditMove {
  kind: MovementKind;
  id: string;
  /** Signed, nano-USD. */
  nano: number;
  note: string;
  /** Credential that asked for it, or `stripe`. */
  keyId: string;
}

export interface CreditMoved {
  /** False: it had been posted before. */
  posted: boolean;
  balanceNano: number;
}

/** When and how much credit is bought by itself. */
export interface AutoTopUpRule {
  /** Bought when less credit than this is available, nano-USD. */
  thresholdNano: number;
  amountCents: number;
  /** Most that is bought in a calendar month (UTC). */
  monthlyMaxCents: number;
}

export interface AutoTopUpView {
  rule: AutoTopUpRule | null;
  /** Stripe's id of who pays. */
  customer: string | null;
  has_payment_method: boolean;
  in_progress: boolean;
  failures: number;
  /** Why it was switched off, if it was. */
  stopped: string | null;
  /** Bought this month. */
  month_cents: number;
}

/** A payment to ask for. `id` is its idempotency key; `paymentIntent` is known when it was accepted before. */
export interface TopUpOrder {
  id: string;
  account: string;
  amountCents: number;
  customer: string;
  paymentMethod: string;
  paymentIntent?: string;
}

/** `unknown`: it may or may not have been paid; to be asked again with the same id. */
export type TopUpOutcome =
  | { kind: "paid"; paymentIntent: string }
  | { kind: "processing"; paymentIntent: string }
  | { kind: "failed"; reason: string }
  | { kind: "unknown" };

export type ChargeTopUp = (order: TopUpOrder) => Promise<TopUpOutcome>;

/** What an account has to spend. */
export interface Balance {
  balance_nano: number;
  reserved_nano: number;
  available_nano: number;
  tokens: { included: number | null; remaining: number | null; resets_at: string };
  auto_top_up: AutoTopUpView;
  entries: { id: string; kind: MovementKind; at: string; nano_usd: number; note: string }[];
}
