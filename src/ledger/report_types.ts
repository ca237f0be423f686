import type { Entry } from "./books.ts";
import type { BudgetState } from "./budget_types.ts";
import type { Funding, UsageReport, UsageTotals, WindowState } from "./types.ts";

/** What can be asked about usage, and the answers. Days and months are UTC. */

/** Without the month they are the stored order, so that a whole export is read along it. */
export const DIMENSIONS = ["day", "month", "tool", "model", "key", "session", "user", "client"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** Usage from one day to another, both included, `YYYY-MM-DD`; a filter names the exact value, "" the calls without one. */
export interface UsageQuery {
  from: string;
  to: string;
  by: Dimension[];
  filter?: Partial<Record<Exclude<Dimension, "day" | "month">, string>>;
}

/** What a group of calls came to, with its name in each dimension asked for; null = not known, or none. */
export type UsageGroup = UsageTotals & Partial<Record<Dimension, string | null>>;

/** Days and months in order, then the dearest first. `total` is always the sum of `groups` and `others`. */
export interface GroupReport {
  from: string;
  to: string;
  by: Dimension[];
  total: UsageTotals;
  groups: UsageGroup[];
  /** What the groups that are not listed came to together; null when all are. */
  others: (UsageTotals & { groups: number }) | null;
}

/** Groups in the order of their names. `next` is where the next page begins; null on the last. */
export interface UsagePage {
  groups: UsageGroup[];
  next: string[] | null;
}

/** What is left, as of an admission. */
export interface Quota {
  plan: string;
  tokens: UsageReport["tokens"];
  balance: UsageReport["balance"];
  windows: WindowState[];
}

/** What the month comes to if it goes on as it has until now: the total so far × hours of the month / hours begun so far (at least 24). */
export interface Forecast {
  cost_nano: number;
  calls: number;
  tokens: number;
  hours_so_far: number;
  hours_in_month: number;
}

/** What to read in an admission, so that it costs no hop of its own. */
export interface UsageReads {
  /** The month's report, with so many of the newest calls. */
  recent?: number;
  /** `YYYY-MM`, default the current one. */
  month?: string;
  quota?: true;
  /** The budgets that count what the caller spends. */
  budgets?: true;
  groups?: UsageQuery & { limit: number };
  callId?: string;
}

/** The answers to `UsageReads`. */
export interface UsageAnswers {
  usage?: UsageReport;
  quota?: Quota;
  budgets?: BudgetState[];
  groups?: GroupReport;
  /** null: there is no such call, or it is too long ago. */
  call?: CallDetails | null;
}

/** One try at a model within a call: what it was, at which price, and what it has of the charge. */
export interface CallTry {
  /** Counted from 1, in the order in which they ended. */
  n: number;
  model: string;
  /** null: it was not priced. */
  provider: string | null;
  /** `ok`, `passed_over` (not asked: its circuit was open), or the error code it failed with. */
  outcome: string;
  estimated: boolean;
  price_version: string | null;
  price_tier_above: number | null;
  markup: string | null;
  cost_nano: number;
}

/** The tokens of one class in one try. */
export interface ChargeItem {
  /** Number of the try. */
  try: number;
  /** `input`, `output`, `cache_read`, … */
  class: string;
  tokens: number;
  price_pico_usd: number;
  /** Tokens × price × markup, exactly, in USD; without a hold nothing is priced. */
  exact_usd: string;
  /** The same in whole nano-USD, rounded so that the items come to the charge. */
  cost_nano: number;
}

/** One call with every entry it left in the books. */
export interface CallDetails {
  id: string;
  at: string;
  /** `ok`, an error code, `expired`, or `open` while its hold is. */
  status: string;
  tool: string;
  model: string | null;
  provider: string | null;
  key_id: string;
  user: string | null;
  client: string | null;
  via: string | null;
  session_id: string | null;
  /** Of usage that was reported afterwards: the reporter's id of it, and what it had kept with it. */
  event_id?: string;
  metadata?: Record<string, string>;
  duration_ms: number | null;
  /** The provider did not say what was used; it was counted here. */
  estimated: boolean;
  price_version: string | null;
  /** Tokens of the prompt above which the price holds; null: it has no tiers, or this is the lowest. */
  price_tier_above: number | null;
  /** Decimal, e.g. 1.03. */
  markup: string | null;
  /** Models that were asked, failed tries too. */
  tries: CallTry[];
  items: ChargeItem[];
  cost_nano: number;
  funding: Funding | null;
  /** Part of the cost drawn from prepaid credit. */
  credit_nano: number;
  /** Part of `credit_nano` beyond what was held. */
  overrun_nano: number;
  /** Tokens drawn from the plan. */
  plan_tokens: number;
  hold: {
    at: string;
    ended_at: string | null;
    held_nano: number;
    released_nano: number;
    held_tokens: number;
    input_tokens: number;
    granted_output_tokens: number;
  } | null;
  entries: {
    kind: Entry["kind"];
    at: string;
    hold_nano: number;
    credit_nano: number;
    tokens: number;
    cost_nano: number;
  }[];
}
