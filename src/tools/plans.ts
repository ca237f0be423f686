import * as z from "zod";
import { formatUsd } from "../ledger/money.ts";
import { defineTool } from "./define.ts";

const Limit = z.number().int().optional();

export const listPlans = defineTool({
  name: "list_plans",
  title: "List plans",
  description: "The plans of this installation: calls a minute, an hour and a day, tokens and price a month.",
  scope: null,
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({
    current: z.string(),
    plans: z.array(
      z.object({
        id: z.string(),
        minute: z.number().int(),
        hour: z.number().int(),
        day: z.number().int(),
        monthly_tokens: z.number().int().nullable().describe("null: unlimited"),
        usd_month: z.string().nullable().describe("null: as agreed"),
        tools: z.record(z.string(), z.object({ minute: Limit, hour: Limit, day: Limit })).optional(),
      }),
    ),
  }),
  rest: { method: "get", path: "/plans" },
  restOnly: true,
  run: async (call) => ({
    current: call.principal.plan,
    plans: call.budgets.plans().map(({ id, rate, monthlyTokens, nanoUsdMonth = null, tools }) => ({
      id,
      ...rate,
      monthly_tokens: monthlyTokens,
      usd_month: nanoUsdMonth === null ? null : formatUsd(nanoUsdMonth).replace(/0{7}$/, ""),
      ...(tools ? { tools } : {}),
    })),
  }),
  text: ({ current, plans }) =>
    plans
      .map(({ id, minute, hour, day, usd_month }) => {
        const price = usd_month === null ? "as agreed" : `$${usd_month} a month`;
        return `${id}${id === current ? " (yours)" : ""}: ${minute} calls a minute, ${hour} an hour, ${day} a day; ${price}.`;
      })
      .join("\n"),
});
