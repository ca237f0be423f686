import * as z from "zod";
import { WaypostError } from "../errors.ts";
import type { BudgetState } from "../ledger/budget_types.ts";
import { formatUsd } from "../ledger/money.ts";
import { budgetLine } from "./budget_schema.ts";
import { defineTool } from "./define.ts";
import { NextCalls, nextLines, nextOf } from "./next_calls.ts";
import { cutReport } from "./usage_cut.ts";
import { checkRange, daysOf, rangeFields } from "./usage_range.ts";
import {
  Balance,
  CallOutput,
  FORECAST_HOW,
  ForecastOutput,
  GroupsOutput,
  Limits,
  limitOf,
  Tokens,
  Totals,
} from "./usage_schema.ts";
import { callText, groupsText, section } from "./usage_text.ts";

/** Groups that an agent is shown; the others are told as one sum. */
const MOST_GROUPS = 50;
const MOST_BUDGETS = 5;

const UsageInput = z
  .strictObject({
    month: z
      .string()
      // Not as a pattern: every agent pays for it when it lists the tools.
      .refine((text) => /^\d{4}-(0[1-9]|1[0-2])$/.test(text), { error: "Expected YYYY-MM", abort: true })
      .optional()
      .describe("YYYY-MM (UTC)"),
    recent: z
      .number()
      .int()
      .min(0)
      .max(50)
      .default(5)
      .describe("Newest calls")
      .meta({ aka: ["limit"] }),
    ...rangeFields,
    call_id: z
      .string()
      .min(1)
      .max(128)
      .optional()
      .describe("Itemise this call")
      .meta({ aka: ["id", "call"] }),
  })
  .superRefine((input, context) => checkRange(rangeIn(input), context));

/** A month that is asked for is also the range, unless another is given. */
const rangeIn = ({
  from,
  to,
  month,
}: {
  from?: string | undefined;
  to?: string | undefined;
  month?: string | undefined;
}) => (from === undefined && to === undefined ? { from: month, to: month } : { from, to });

const UsageOutput = z.object({
  month: z.string(),
  plan: z.string(),
  total: Totals,
  by_model: z.record(z.string(), Totals),
  by_tool: z.record(z.string(), Totals),
  by_key: z.record(z.string(), Totals),
  by_day: z.record(z.string(), Totals),
  tokens: Tokens,
  balance: Balance,
  limits: Limits,
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
      session_id: z.string().nullable(),
    }),
  ),
  forecast: ForecastOutput.optional(),
  notices: z.array(z.string()),
  budgets: z.array(z.string()).optional().describe("Hard ones over the caller, those first that have least left"),
  groups: GroupsOutput.optional(),
  call: CallOutput.optional(),
  left_out: z.record(z.string(), z.number()).optional().describe("Entries of a list that are not told, by its name"),
  next: NextCalls,
});
type UsageOutput = z.output<typeof UsageOutput>;

export const usage = defineTool({
  name: "usage",
  title: "Usage and limits",
  description:
    "What this account spent and has left: calls, tokens, cost and forecast of a month, rate limits, plan tokens, prepaid credit, " +
    "newest calls. group_by breaks a range down, call_id itemises one call. Use it before expensive work or after a refusal. " +
    "Not for scopes or sign-in (whoami). Free. Amounts are integers in nano-USD (1e-9 USD).",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: UsageInput,
  output: UsageOutput,
  rest: { method: "get", path: "/usage" },
  atOnce: true,
  reads: (input) => {
    const { recent, month, group_by, from, to, call_id } = input;
    const isGrouped = group_by !== undefined || from !== undefined || to !== undefined;
    return {
      recent,
      budgets: true,
      ...(month ? { month } : {}),
      ...(isGrouped
        ? { groups: { ...daysOf(rangeIn(input), Date.now()), by: group_by ?? ["month"], limit: MOST_GROUPS } }
        : {}),
      ...(call_id === undefined ? {} : { callId: call_id }),
    };
  },
  run: async ({ usage: report, answers }, { call_id }) => {
    if (!report) throw new Error("the admission carried no usage report");
    const { month, total, by_model, by_tool, by_key, by_day, plan, tokens, balance, recent, notices } = report;
    const { groups, call, budgets = [] } = answers ?? {};
    const tight = tightest(budgets);
    if (call_id !== undefined && !call) throw noSuchCall();
    const whole: Omit<UsageOutput, "left_out" | "next"> = {
      month,
      total,
      by_model,
      by_tool,
      by_key,
      by_day,
      plan,
      tokens,
      balance,
      recent,
      limits: report.windows.map(limitOf),
      notices: notices.map(({ at, message }) => `${at} ${message}`),
    };
    if (report.forecast) whole.forecast = { ...report.forecast, how: FORECAST_HOW };
    if (tight.length > 0) whole.budgets = tight;
    if (groups) whole.groups = groups;
    if (call) whole.call = call;
    const { report: told, left_out, next } = cutReport(whole);
    const dearest = call ? undefined : dearestOf(told.recent);
    return {
      ...told,
      ...(left_out ? { left_out } : {}),
      ...nextOf([
        ...next.slice(0, 2),
        dearest && {
          tool: "usage",
          arguments: { call_id: dearest.id, recent: 0 },
          why: "to itemise the dearest of these calls",
        },
      ]),
    };
  },
  text,
});

/** The call that cost most, if any cost something; of equals the newest. */
function dearestOf(calls: UsageOutput["recent"]): UsageOutput["recent"][number] | undefined {
  let dearest: UsageOutput["recent"][number] | undefined;
  for (const call of calls) if (call.cost_nano > (dearest?.cost_nano ?? 0)) dearest = call;
  return dearest;
}

/** What may refuse the caller's next call although there is money. */
function tightest(budgets: readonly BudgetState[]): string[] {
  const left = ({ nano_usd, spent_nano, reserved_nano }: BudgetState) => nano_usd - spent_nano - reserved_nano;
  const hard = budgets.filter(({ kind }) => kind === "hard").sort((a, b) => left(a) - left(b));
  return hard.slice(0, MOST_BUDGETS).map(budgetLine);
}

/** For a call that is not of this account, was never made, or cost nothing and was made too long ago. */
export const noSuchCall = (): WaypostError =>
  new WaypostError("not_found", "This account has no such call; one that cost nothing is listed for 40 days.");

function text(report: UsageOutput): string {
  const { total, tokens, balance, forecast } = report;
  const plan =
    tokens.included === null
      ? "unlimited plan tokens"
      : `${tokens.remaining} of ${tokens.included} plan tokens left until ${tokens.resets_at.slice(0, 10)}`;
  const lines = [
    `${report.month}, plan ${report.plan}: ${total.calls} calls (${total.errors} failed), ${total.input_tokens} tokens in, ${total.output_tokens} out, $${formatUsd(total.cost_nano)}.`,
    ...(forecast ? [`At this rate the month comes to $${formatUsd(forecast.cost_nano)} (${forecast.how}).`] : []),
    `Left: ${plan}; prepaid credit $${formatUsd(balance.available_nano)}; calls ${report.limits.map((l) => `${l.remaining}/${l.limit} a ${l.window}`).join(", ")}.`,
    ...(report.budgets ?? []).map((budget) => `Budget ${budget}`),
    ...section("By model", report.by_model),
    ...section("By tool", report.by_tool),
    ...(report.groups ? groupsText(report.groups) : []),
    ...(report.call ? callText(report.call) : []),
  ];
  if (report.notices.length > 0) lines.push("Notices:", ...report.notices.map((notice) => `- ${notice}`));
  if (report.recent.length > 0) lines.push("Recent calls:");
  for (const call of report.recent) {
    const used = call.model ? `, ${call.model}, ${call.input_tokens}+${call.output_tokens} tokens` : "";
    lines.push(`- ${call.at} ${call.tool} ${call.status}${used}, $${formatUsd(call.cost_nano)} (${call.id})`);
  }
  const missing = Object.entries(report.left_out ?? {}).map(([name, n]) => `${n} more in ${name}`);
  if (missing.length > 0) lines.push(`Not told here: ${missing.join(", ")}.`);
  return [...lines, ...nextLines(report.next)].join("\n");
}
