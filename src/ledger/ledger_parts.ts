import type { AccountPlan } from "./account_plan.ts";
import type { AlarmClock } from "./alarm_clock.ts";
import type { Attempts } from "./attempts.ts";
import type { Books } from "./books.ts";
import type { Budgets } from "./budgets.ts";
import type { CallBook } from "./call_book.ts";
import type { Journal } from "./journal.ts";
import type { Keyring } from "./keyring.ts";
import type { PeriodTurn } from "./period_turn.ts";
import type { RateGate } from "./rate_gate.ts";
import type { Reports } from "./reports.ts";
import type { Account } from "./rows.ts";
import type { Store } from "./store.ts";
import type { Turn } from "./turn.ts";

/** What one awake ledger is made of: its steps (admission, settlement, upkeep) share these. */
export interface LedgerParts {
  store: Store;
  account: Account;
  plan: AccountPlan;
  books: Books;
  ring: Keyring;
  budgets: Budgets;
  journal: Journal;
  attempts: Attempts;
  rates: RateGate;
  reports: Reports;
  calls: CallBook;
  periods: PeriodTurn;
  alarm: AlarmClock;
  turn: Turn;
  now: () => number;
}

/** How long a call may stay open before its hold is given back. Longer than any call's deadline. */
export const LEASE_MS = 180_000;
/** A hold is found on disk at the latest this long after it was placed. */
export const HOLD_JOURNAL_MS = 20;
/** Counters and calls that cost nothing are written at the latest this long after. */
export const FREE_JOURNAL_MS = 1_000;

/** A key sees only its own attempts: another key of the account may have other scopes. */
export const attemptKey = (keyId: string, idempotencyKey: string): string => `${keyId} ${idempotencyKey}`;
