/**
 * The periods of budgets: days, weeks and months of a time zone's own calendar, daylight saving time and all. Periods
 * follow each other without a gap: one ends at the instant at which the next begins.
 */

export interface PeriodRule {
  period: "day" | "week" | "month" | "total";
  /** IANA name; default `UTC`. */
  time_zone?: string;
  /** On which day a week (1 = Monday .. 7) or a month (1 .. 28) begins; default 1. */
  reset_day?: number;
}

/** Milliseconds since the epoch, the end not included. null: it began with the account, it never ends. */
export interface Period {
  start: number | null;
  end: number | null;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const ZONE = /^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/;

/** The period of a rule that a time lies in. @throws RangeError when the time zone is none */
export function periodAt(rule: PeriodRule, at: number): Period {
  if (rule.period === "total") return { start: null, end: null };
  const zone = rule.time_zone ?? "UTC";
  const date = firstDate(rule, at + offsetAt(zone, at));
  let start = startOf(date, zone);
  let end = startOf(nextDate(rule, date), zone);
  // Where a clock is set back over midnight, the date that it shows has ended already.
  for (let next = nextDate(rule, date); at >= end; ) {
    start = end;
    next = nextDate(rule, next);
    end = startOf(next, zone);
  }
  return { start, end };
}

export function isTimeZone(name: string): boolean {
  if (!ZONE.test(name)) return false;
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** The date on which the period of a local time began. Dates and local times are ms as if they were UTC. */
function firstDate({ period, reset_day = 1 }: PeriodRule, local: number): number {
  const date = Math.floor(local / DAY) * DAY;
  const on = new Date(date);
  if (period === "day") return date;
  if (period === "week") return date - ((on.getUTCDay() + 7 - reset_day) % 7) * DAY;
  const behind = on.getUTCDate() < reset_day ? 1 : 0;
  return Date.UTC(on.getUTCFullYear(), on.getUTCMonth() - behind, reset_day);
}

function nextDate({ period, reset_day = 1 }: PeriodRule, date: number): number {
  if (period !== "month") return date + (period === "week" ? 7 : 1) * DAY;
  const on = new Date(date);
  return Date.UTC(on.getUTCFullYear(), on.getUTCMonth() + 1, reset_day);
}

/** The first instant at which a zone's clocks show a date or a later one: not every date has a midnight. */
function startOf(date: number, zone: string): number {
  const candidates = [date - offsetAt(zone, date - DAY), date - offsetAt(zone, date + DAY)].sort((a, b) => a - b);
  const [first, last] = candidates as [number, number];
  const midnight = candidates.find((at) => at + offsetAt(zone, at) === date);
  if (midnight !== undefined) return midnight;
  let before = first - MINUTE;
  let after = last;
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2);
    if (middle + offsetAt(zone, middle) >= date) after = middle;
    else before = middle;
  }
  return after;
}

/** How far a zone's clocks are ahead of UTC, in ms. */
function offsetAt(zone: string, at: number): number {
  if (zone === "UTC") return 0;
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(at / 1_000) * 1_000;
}

const FORMATS_KEPT = 50;
const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  let format = formats.get(timeZone);
  if (!format) {
    const two = "2-digit" as const;
    format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: two,
      day: two,
      hour: two,
      minute: two,
      second: two,
    });
    if (formats.size >= FORMATS_KEPT) formats.delete(formats.keys().next().value as string);
    formats.set(timeZone, format);
  }
  return format;
}
