import * as z from "zod";
import { DIMENSIONS, type UsageQuery } from "../ledger/report_types.ts";

/** The days a usage report is about, and how it is grouped and filtered. Shared by the tools that report. */

/** 13 months, whatever their lengths. */
const MOST_DAYS = 397;
const DAY_MS = 86_400_000;

/** A day, `YYYY-MM-DD`, or a month, `YYYY-MM`, that exists. */
const Day = z.string().refine(isDay, { error: "Expected a day, YYYY-MM-DD, or a month, YYYY-MM", abort: true });

const name = (what: string) => z.string().max(200).optional().describe(`Only this ${what}; empty: calls without one`);

export const rangeFields = {
  from: Day.optional().describe("YYYY-MM-DD or month"),
  to: Day.optional(),
  group_by: z.array(z.enum(DIMENSIONS)).min(1).max(DIMENSIONS.length).optional(),
};

export const filterFields = {
  tool: name("tool"),
  model: name("model"),
  key: name("key id"),
  session: name("session id"),
  user: name("user id"),
  client: name("program, as it names itself without its version"),
};

interface Range {
  from?: string | undefined;
  to?: string | undefined;
}

/** The days of a range: `from` is by default the first day of the month of `to`, and `to` today. @param now ms */
export function daysOf({ from, to }: Range, now: number): { from: string; to: string } {
  const last = to === undefined ? dayOf(now) : to.length === 7 ? lastDayOf(to) : to;
  const first = from ?? last.slice(0, 7);
  return { from: first.length === 7 ? `${first}-01` : first, to: last };
}

/** Refuses a range that ends before it begins or is too long. */
export function checkRange(range: Range, context: z.RefinementCtx): void {
  if (range.from === undefined && range.to === undefined) return;
  const { from, to } = daysOf(range, Date.now());
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS;
  if (days < 0) context.addIssue({ code: "custom", path: ["to"], message: `The range ends before ${from}.` });
  if (days >= MOST_DAYS) {
    context.addIssue({ code: "custom", path: ["from"], message: "A range has 13 months at most." });
  }
}

type Filter = NonNullable<UsageQuery["filter"]>;

/** The filters that were given. */
export function filterOf(input: { [Name in keyof Filter]: Filter[Name] | undefined }): Filter {
  const { tool, model, key, session, user, client } = input;
  const given = Object.entries({ tool, model, key, session, user, client }).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function isDay(text: string): boolean {
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(text)) return true;
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && dayOf(ms) === text;
}

function lastDayOf(month: string): string {
  const [year, number] = month.split("-").map(Number) as [number, number];
  return dayOf(Date.UTC(year, number, 0));
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
