import type { ErrorExtras } from "../errors.ts";
import type { Books } from "./books.ts";
import type { Budget } from "./budget_types.ts";
import { monthEnd } from "./calendar.ts";
import type { HoldRequest } from "./types.ts";
import { affordable } from "./worst_case.ts";

/** Why money refuses a call: for good, until something begins anew, or only until running calls give back what they hold. */

/** `lasting`: not only because of running calls. `extras`: what a caller is told of when to try again. */
export interface Shortage {
  lasting: boolean;
  extras: ErrorExtras;
}

/** What running calls hold they mostly give back, within seconds. */
const RUNNING: Shortage = { lasting: false, extras: { retry: "later", retry_after: 5 } };
const FOR_GOOD: Shortage = { lasting: true, extras: {} };

/** Why a hard budget refuses a call. */
export function ofBudget(
  tracked: { budget: Budget; period: { end: number | null }; spentNano: number },
  hold: HoldRequest,
): Shortage {
  const { budget, period, spentNano } = tracked;
  if (affordable(hold, Math.max(0, budget.nano_usd - spentNano)) !== null) return RUNNING;
  const fitsLater = period.end !== null && affordable(hold, budget.nano_usd) !== null;
  return fitsLater ? { lasting: true, extras: { retry: "later" } } : FOR_GOOD;
}

/** Why neither plan nor credit pays for a call. */
export function ofMoney(books: Books, hold: HoldRequest, monthlyTokens: number | null): Shortage {
  if (books.couldPlace(hold, monthlyTokens)) return RUNNING;
  const fitsNextMonth = monthlyTokens !== null && hold.inputTokens + hold.minOutputTokens <= monthlyTokens;
  return fitsNextMonth
    ? { lasting: true, extras: { retry: "later", resets_at: monthEnd(books.state.month) } }
    : FOR_GOOD;
}
