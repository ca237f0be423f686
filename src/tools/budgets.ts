import * as z from "zod";
import { SPENDING_TOOLS } from "../ledger/spending_tools.ts";
import { BudgetOutput, budgetLine, Kind, Nano, Period } from "./budget_schema.ts";
import { defineTool } from "./define.ts";

/** Budgets of the caller's account. REST only: an agent has no business with its own bounds. */

const BudgetId = z.string().min(1).max(64).describe("Chosen by you: a-z, 0-9, `.`, `_`, `-`");

export const listBudgets = defineTool({
  name: "list_budgets",
  title: "List budgets",
  description: "The account's budgets by id, those of keys among them, with what is spent and held of each.",
  scope: "account",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({ budgets: z.array(BudgetOutput) }),
  rest: { method: "get", path: "/budgets" },
  restOnly: true,
  run: async (call) => ({ budgets: await call.budgets.list() }),
  text: ({ budgets }) => budgets.map(budgetLine).join("\n"),
});

export const setBudget = defineTool({
  name: "set_budget",
  title: "Set a budget",
  description:
    "Makes a budget, or puts it in place of the one with its id, from the next call on. It counts the calls of the whole account, of a key, of a " +
    "tool, or of a key with a tool; what they were worth before in the period counts too.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    budget_id: BudgetId,
    nano_usd: Nano.nonnegative().max(1_000_000_000_000_000).describe("nano-USD (1 USD = 1000000000)"),
    period: Period.describe("total: in all, without a new beginning"),
    kind: Kind.default("hard").describe("hard refuses or cuts calls; soft only gives notice"),
    key_id: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .describe("Counts this key, grant or token and the keys made with it; absent: all"),
    tool: z
      .enum(SPENDING_TOOLS)
      .optional()
      .describe("Counts this tool; chat: chat_completions, messages and responses too; absent: all"),
    time_zone: z.string().min(1).max(64).optional().describe("IANA name, such as Europe/Berlin; default UTC"),
    reset_day: z
      .number()
      .int()
      .min(1)
      .max(28)
      .optional()
      .describe("Day on which a month (1 to 28) or week (1 = Monday to 7) begins; default 1"),
  }),
  output: BudgetOutput,
  rest: { method: "post", path: "/budgets/{budget_id}" },
  restOnly: true,
  run: (call, { budget_id, ...budget }) => call.budgets.set({ id: budget_id, ...budget }),
  text: budgetLine,
});

export const deleteBudget = defineTool({
  name: "delete_budget",
  title: "Delete a budget",
  description: "Removes a budget from the next call on. A key's own budget is removed with PATCH /v1/keys/{key_id}.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ budget_id: BudgetId }),
  output: z.object({ budget_id: z.string(), deleted: z.boolean() }),
  rest: { method: "delete", path: "/budgets/{budget_id}" },
  restOnly: true,
  run: async (call, { budget_id }) => {
    await call.budgets.remove(budget_id);
    return { budget_id, deleted: true };
  },
  text: ({ budget_id }) => `Budget ${budget_id} is deleted.`,
});
