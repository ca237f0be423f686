import type { PeriodRule } from "./budget_periods.ts";

/** The most that calls may be worth in a period, whoever pays for them: plan tokens or credit. */
export interface Budget extends PeriodRule {
  /** Chosen by whoever sets it; a key's own budget goes by the key's id. */
  id: string;
  /** Counts the calls of this credential and of the keys made with it; absent: of every credential. */
  key_id?: string;
  /** Counts the calls of this tool, of `chat` all that `countedAs` says; absent: of every tool. */
  tool?: string;
  nano_usd: number;
  /** `hard` refuses or cuts calls when money is held; `soft` gives notice and nothing more. */
  kind: "hard" | "soft";
}

export interface BudgetState extends Budget {
  spent_nano: number;
  /** The most that running calls can still cost. */
  reserved_nano: number;
  /** ISO 8601; null for what never begins anew. */
  began_at: string | null;
  resets_at: string | null;
}

/** Percentages at which a notice is given. */
export const THRESHOLDS = [50, 80, 100] as const;
export type Threshold = (typeof THRESHOLDS)[number];

export type NoticeType = "budget.threshold" | "plan_tokens.threshold" | "credit.threshold" | "webhook.given_up";

export interface Notice {
  id: string;
  /** ISO 8601. */
  at: string;
  type: NoticeType;
  /** One sentence for people. */
  message: string;
  data: Record<string, string | number | null>;
}

/** How far a notice has come on its way to a webhook. */
export interface Delivery {
  webhook_id: string;
  state: "pending" | "delivered" | "given_up";
  attempts: number;
  /** HTTP status of the last answer; null when there was none. */
  last_status: number | null;
}

export interface NoticeInfo extends Notice {
  deliveries: Delivery[];
}

export interface WebhookInfo {
  id: string;
  url: string;
  created_at: string;
  pending: number;
  given_up: number;
}
