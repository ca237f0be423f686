import * as z from "zod";
import { formatUsd } from "../ledger/money.ts";
import { BudgetOutput, budgetLine } from "./budget_schema.ts";
import { defineTool } from "./define.ts";
import { Balance, Limits, limitOf, Tokens } from "./usage_schema.ts";

export const quota = defineTool({
  name: "quota",
  title: "What is left",
  description:
    "Calls left in each rate window, plan tokens, prepaid credit, and the budgets that count the caller's calls, with when they reset: one cheap read, which " +
    "no limit of calls counts or refuses, up to 60 a minute.",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({
    plan: z.string(),
    limits: Limits,
    tokens: Tokens,
    balance: Balance,
    budgets: z.array(BudgetOutput),
  }),
  rest: { method: "get", path: "/quota" },
  restOnly: true,
  uncounted: true,
  atOnce: true,
  reads: () => ({ quota: true, budgets: true }),
  run: async ({ answers }) => {
    if (!answers?.quota) throw new Error("the admission carried no quota");
    const { plan, windows, tokens, balance } = answers.quota;
    return { plan, limits: windows.map(limitOf), tokens, balance, budgets: answers.budgets ?? [] };
  },
  text: ({ plan, limits, tokens, balance, budgets }) =>
    [
      `Plan ${plan}: calls ${limits.map((l) => `${l.remaining}/${l.limit} a ${l.window}`).join(", ")};`,
      `plan tokens ${tokens.remaining ?? "unlimited"} until ${tokens.resets_at}; credit $${formatUsd(balance.available_nano)}.`,
      ...budgets.map((budget) => `Budget ${budgetLine(budget)}`),
    ].join(" "),
});
