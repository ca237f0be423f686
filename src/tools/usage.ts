import * as z from "zod";
import { formatUsd } from "../ledger/money.ts";
import { defineTool } from "./define.ts";

const UsageInput = z.strictObject({
  month: z
    .string()
    .regex(/^\d{4}-(0[1-9]|1[0-2])$/, "Expected YYYY-MM")
    .optional()
    .describe("Month to report, YYYY-MM (UTC); default the current one"),
  recent: z.number().int().min(0).max(50).default(5).describe("How many of the newest calls to list"),
});

const Totals = z.object({
  calls: z.number().int(),
  errors: z.number().int(),
  input_tokens: z.number().int(),
  output_tokens: z.number().int(),
  cost_nano: z.number().int(),
});

const UsageOutput = z.object({
  month: z.string(),
  plan: z.string(),
  total: Totals,
  by_model: z.record(z.string(), Totals),
  by_tool: z.record(z.string(), Totals),
  by_key: z.record(z.string(), Totals),
  by_day: z.record(z.string(), Totals),
  tokens: z.object({
    included: z.number().int().nullable(),
    used: z.number().int(),
    reserved: z.number().int(),
    remaining: z.number().int().nullable(),
    resets_at: z.string(),
  }),
  balance: z.object({
    credit_nano: z.number().int(),
    reserved_nano: z.number().int(),
    available_nano: z.number().int(),
  }),
  limits: z.array(
    z.object({ window: z.string(), limit: z.number(), remaining: z.number(), reset_seconds: z.number() }),
  ),
  recent: z.array(
    z.object({
      id: z.string(),
      at: z.string(),
      tool: z.string(),
      model: z.string().nullable(),
      key_id: z.string(),
      input_tokens: z.number().int(),
      output_tokens: z.number().int(),
      cost_nano: z.number().int(),
      credit_nano: z.number().int(),
      status: z.string(),
      estimated: z.boolean(),
    }),
  ),
});
type UsageOutput = z.output<typeof UsageOutput>;

export const usage = defineTool({
  name: "usage",
  title: "Usage and limits",
  description:
    "What this account used and has left: calls, tokens and cost of a month by model, tool, key and day, rate limits, plan tokens, prepaid balance, and the cost of recent calls. Use it before expensive work or when a call was refused. Free. Amounts are integers in nano-USD (1e-9 USD).",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: UsageInput,
  output: UsageOutput,
  rest: { method: "get", path: "/usage" },
  reads: ({ recent, month }) => ({ recent, ...(month ? { month } : {}) }),
  run: async (call) => {
    if (!call.usage) throw new Error("the admission carried no usage report");
    const { windows, ...report } = call.usage;
    return { ...report, limits: windows.map(limitOf) };
  },
  text,
});

const limitOf = (window: { name: string; limit: number; remaining: number; resetMs: number }) => ({
  window: window.name,
  limit: window.limit,
  remaining: window.remaining,
  reset_seconds: Math.ceil(window.resetMs / 1_000),
});

function text(report: UsageOutput): string {
  const { total, tokens, balance } = report;
  const plan =
    tokens.included === null
      ? "unlimited plan tokens"
      : `${tokens.remaining} of ${tokens.included} plan tokens left until ${tokens.resets_at.slice(0, 10)}`;
  const lines = [
    `${report.month}, plan ${report.plan}: ${total.calls} calls (${total.errors} failed), ${total.input_tokens} tokens in, ${total.output_tokens} out, $${formatUsd(total.cost_nano)}.`,
    `Left: ${plan}; prepaid credit $${formatUsd(balance.available_nano)}; calls ${report.limits.map((l) => `${l.remaining}/${l.limit} a ${l.window}`).join(", ")}.`,
    ...section("By model", report.by_model),
    ...section("By tool", report.by_tool),
  ];
  if (report.recent.length > 0) lines.push("Recent calls:");
  for (const call of report.recent) {
    const used = call.model ? `, ${call.model}, ${call.input_tokens}+${call.output_tokens} tokens` : "";
    lines.push(`- ${call.at} ${call.tool} ${call.status}${used}, $${formatUsd(call.cost_nano)} (${call.id})`);
  }
  return lines.join("\n");
}

function section(title: string, totals: UsageOutput["by_model"]): string[] {
  const rows = Object.entries(totals);
  if (rows.length === 0) return [];
  return [`${title}: ${rows.map(([name, t]) => `${name} ${t.calls} calls $${formatUsd(t.cost_nano)}`).join("; ")}.`];
}
