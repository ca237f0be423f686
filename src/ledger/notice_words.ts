import type { Threshold } from "./budget_types.ts";
import type { Tracked } from "./budgets.ts";
import { monthEnd } from "./calendar.ts";
import { formatUsd } from "./money.ts";
import type { NewNotice } from "./notice_store.ts";

/** Notices of budgets, plan tokens and credit in full. `once` is the same for either cause: one notice of a threshold in a period. */

/** `used`: so much of it is used; `refused`: calls are refused because what is left does not cover them. */
export type Cause = "used" | "refused";

type Given = Omit<NewNotice, "at">;

export function ofBudget({ budget, period, spentNano }: Tracked, threshold: Threshold, cause: Cause): Given {
  const resets = period.end === null ? null : new Date(period.end).toISOString();
  const anew = resets ? `; it begins anew at ${resets}` : "";
  const named = `the ${budget.kind} budget "${budget.id}" of $${formatUsd(budget.nano_usd)}`;
  const spent = `$${formatUsd(spentNano)} is spent, and what is left does not cover a call`;
  return {
    once: `budget ${budget.id} ${period.start ?? "total"} ${budget.nano_usd} ${threshold}`,
    type: "budget.threshold",
    message:
      cause === "used"
        ? `${threshold} % of ${named} is spent${anew}.`
        : `Calls are refused: of ${named}, ${spent}${anew}.`,
    data: {
      threshold,
      cause,
      budget_id: budget.id,
      kind: budget.kind,
      key_id: budget.key_id ?? null,
      tool: budget.tool ?? null,
      period: budget.period,
      nano_usd: budget.nano_usd,
      spent_nano: spentNano,
      resets_at: resets,
    },
    endsAt: period.end,
  };
}

/** The plan's tokens of a month; `id` is the plan's. */
export interface MonthTokens {
  /** What the notices are of: given once each. */
  of: string;
  id: string;
  monthlyTokens: number;
  month: string;
  used: number;
}

export function ofTokens(
  { of, id, monthlyTokens, month, used }: MonthTokens,
  threshold: Threshold,
  cause: Cause,
): Given {
  const resets = monthEnd(month);
  const named = `the ${monthlyTokens} tokens a month of the plan "${id}"`;
  return {
    once: `plan_tokens ${of} ${threshold}`,
    type: "plan_tokens.threshold",
    message:
      cause === "used"
        ? `${threshold} % of ${named} are used; they begin anew at ${resets}.`
        : `Calls are refused: of ${named}, ${used} are used, what is left does not cover a call, and there is no prepaid credit; they begin anew at ${resets}.`,
    data: { threshold, cause, plan: id, tokens: monthlyTokens, used, resets_at: resets },
    endsAt: Date.parse(resets),
  };
}

/** The credit there was when some was last added, less what was taken back since without being used. */
export interface Credit {
  of: string;
  baseNano: number;
  leftNano: number;
}

export function ofCredit({ of, baseNano, leftNano }: Credit, threshold: Threshold, cause: Cause): Given {
  const named = `the prepaid credit of $${formatUsd(baseNano)}`;
  return {
    once: `credit ${of} ${threshold}`,
    type: "credit.threshold",
    message:
      cause === "used"
        ? `${threshold} % of ${named} is used; $${formatUsd(leftNano)} is left.`
        : `Calls are refused: of ${named}, $${formatUsd(leftNano)} is left, which does not cover a call.`,
    data: { threshold, cause, credit_nano: baseNano, left_nano: leftNano },
    endsAt: null,
  };
}
