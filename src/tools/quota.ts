import * as z from "zod";
import { formatUsd } from "../ledger/money.ts";
import { defineTool } from "./define.ts";
import { Balance, Limits, limitOf, Tokens } from "./usage_schema.ts";

export const quota = defineTool({
  name: "quota",
  title: "What is left",
  description: "Calls left in each rate window, plan tokens, and prepaid credit, with when they reset: one cheap read.",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({}),
  output: z.object({ plan: z.string(), limits: Limits, tokens: Tokens, balance: Balance }),
  rest: { method: "get", path: "/quota" },
  restOnly: true,
  reads: () => ({ quota: true }),
  run: async ({ answers }) => {
    if (!answers?.quota) throw new Error("the admission carried no quota");
    const { plan, windows, tokens, balance } = answers.quota;
    return { plan, limits: windows.map(limitOf), tokens, balance };
  },
  text: ({ plan, limits, tokens, balance }) =>
    [
      `Plan ${plan}: calls ${limits.map((l) => `${l.remaining}/${l.limit} a ${l.window}`).join(", ")};`,
      `plan tokens ${tokens.remaining ?? "unlimited"} until ${tokens.resets_at}; credit $${formatUsd(balance.available_nano)}.`,
    ].join(" "),
});
