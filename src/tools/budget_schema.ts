import * as z from "zod";
import type { BudgetState } from "../ledger/budget_types.ts";
import { formatUsd } from "../ledger/money.ts";

/** The shape in which budgets are told. */

export const Nano = z.number().int();
export const Period = z.enum(["day", "week", "month", "total"]);
export const Kind = z.enum(["hard", "soft"]);

export const BudgetOutput = z.object({
  id: z.string(),
  key_id: z.string().optional(),
  tool: z.string().optional(),
  nano_usd: Nano,
  kind: Kind,
  period: Period,
  time_zone: z.string().optional(),
  reset_day: z.number().int().optional(),
  spent_nano: Nano.describe("What its calls in the period were worth, whoever paid"),
  reserved_nano: Nano.describe("The most its running calls can still cost"),
  began_at: z.string().nullable(),
  resets_at: z.string().nullable(),
});

/** One budget in a sentence. */
export function budgetLine(budget: Pick<BudgetState, "id" | "kind" | "nano_usd" | "period"> & Spent): string {
  const { id, kind, tool, nano_usd, period, spent_nano, reserved_nano, resets_at } = budget;
  const whole = `$${formatUsd(nano_usd)} ${period === "total" ? "in all" : `a ${period}`}`;
  const until = resets_at ? `, until ${resets_at}` : "";
  const of = tool === undefined ? kind : `${kind}, ${tool}`;
  return `${id} (${of}): $${formatUsd(spent_nano)} spent and $${formatUsd(reserved_nano)} held of ${whole}${until}.`;
}

type Spent = Pick<BudgetState, "spent_nano" | "reserved_nano" | "resets_at"> & { tool?: string | undefined };
