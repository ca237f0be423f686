import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { formatUsd } from "../ledger/money.ts";
import { DIMENSIONS, type Dimension, type UsageGroup } from "../ledger/report_types.ts";
import { type Call, defineTool } from "./define.ts";
import { checkRange, daysOf, filterFields, filterOf, rangeFields } from "./usage_range.ts";

/** Everything but the month, which the day has in it. */
const FINEST: Dimension[] = DIMENSIONS.filter((name) => name !== "month");

export const exportUsage = defineTool({
  name: "export_usage",
  title: "Usage as CSV",
  description:
    "The groups of report_usage, all of them, as CSV (RFC 4180) that is sent as it is read. Cost is a whole number of nano-USD " +
    "and decimal USD. A text that a spreadsheet would take for a formula is sent behind an apostrophe.",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z
    .strictObject({
      ...rangeFields,
      group_by: rangeFields.group_by.describe("Default: everything that tells calls apart"),
      ...filterFields,
    })
    .superRefine(checkRange),
  output: z.object({ groups: z.number().int() }),
  rest: { method: "get", path: "/usage.csv" },
  restOnly: true,
  media: "text/csv",
  // What is sent as it is read is not kept for a repetition.
  secretResult: true,
  run: async (call, input) => {
    if (!call.usagePage) throw new Error("the call cannot read usage");
    const by = input.group_by ? [...new Set(input.group_by)] : FINEST;
    const query = { ...daysOf(input, Date.now()), by, filter: filterOf(input) };
    await send(call, csvLine([...by, "calls", "errors", "input_tokens", "output_tokens", "cost_nano_usd", "cost_usd"]));
    let groups = 0;
    for (let after: string[] | null = null, isLast = false; !isLast; ) {
      const page: Awaited<ReturnType<NonNullable<Call["usagePage"]>>> = await call.usagePage(query, after);
      if (page.groups.length > 0) await send(call, page.groups.map((group) => csvLine(fieldsOf(by, group))).join(""));
      groups += page.groups.length;
      after = page.next;
      isLast = after === null;
    }
    return { groups };
  },
  text: ({ groups }) => `${groups} groups were exported.`,
});

/** Waits until there is room for more, but not for a reader who has stopped. */
async function send(call: Call, text: string): Promise<void> {
  const { signal } = call;
  const late = new Promise<never>((_, reject) => {
    const give = () => reject(new WaypostError("deadline_exceeded", "The export was not read in time."));
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
  await Promise.race([call.emit({ type: "delta", text }), late]);
}

function fieldsOf(by: readonly Dimension[], group: UsageGroup): (string | number)[] {
  const { calls, errors, input_tokens, output_tokens, cost_nano } = group;
  const names = by.map((name) => group[name] ?? "");
  return [...names, calls, errors, input_tokens, output_tokens, cost_nano, formatUsd(cost_nano)];
}

/** What spreadsheets take for the beginning of a formula (OWASP, CSV Injection). */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** One record (RFC 4180, section 2), with its line break. A number is written as it is, a text never as a formula. */
export const csvLine = (fields: readonly (string | number)[]): string => `${fields.map(csvField).join(",")}\r\n`;

function csvField(value: string | number): string {
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
