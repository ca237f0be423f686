import { describe, expect, it } from "vitest";
import { randomFrom } from "../../test/random.ts";
import { isTimeZone, type PeriodRule, periodAt } from "./budget_periods.ts";

const HOUR = 3_600_000;
const at = (iso: string) => Date.parse(iso);
const shown = (rule: PeriodRule, iso: string) => {
  const { start, end } = periodAt(rule, at(iso));
  return [start, end].map((ms) => (ms === null ? null : new Date(ms).toISOString().replace(":00.000Z", "Z")));
};

describe("the period a time lies in", () => {
  it.each<[string, PeriodRule, string, string, string]>([
    ["a day in UTC", { period: "day" }, "2026-06-15T23:59:59Z", "2026-06-15T00:00Z", "2026-06-16T00:00Z"],
    [
      "the 23 hours on which clocks go forward",
      { period: "day", time_zone: "Europe/Berlin" },
      "2026-03-29T12:00:00Z",
      "2026-03-28T23:00Z",
      "2026-03-29T22:00Z",
    ],
    [
      "the 25 hours on which they go back",
      { period: "day", time_zone: "America/New_York" },
      "2026-11-01T12:00:00Z",
      "2026-11-01T04:00Z",
      "2026-11-02T05:00Z",
    ],
    [
      "a day without a midnight",
      { period: "day", time_zone: "Africa/Cairo" },
      "2026-04-24T12:00:00Z",
      "2026-04-23T22:00Z",
      "2026-04-24T21:00Z",
    ],
    [
      "a day with two midnights",
      { period: "day", time_zone: "America/Havana" },
      "2026-11-01T05:30:00Z",
      "2026-11-01T04:00Z",
      "2026-11-02T05:00Z",
    ],
    [
      "the day after one that was left out",
      { period: "day", time_zone: "Pacific/Apia" },
      "2011-12-30T10:00:00Z",
      "2011-12-30T10:00Z",
      "2011-12-31T10:00Z",
    ],
    [
      "the hour that clocks show twice after midnight",
      { period: "day", time_zone: "America/St_Johns" },
      "2007-11-04T02:45:00Z",
      "2007-11-04T02:30Z",
      "2007-11-05T03:30Z",
    ],
    [
      "a quarter of an hour's zone",
      { period: "day", time_zone: "Asia/Kathmandu" },
      "2026-06-15T18:14:59Z",
      "2026-06-14T18:15Z",
      "2026-06-15T18:15Z",
    ],
    ["a week from Monday", { period: "week" }, "2026-06-14T12:00:00Z", "2026-06-08T00:00Z", "2026-06-15T00:00Z"],
    [
      "a week from Sunday",
      { period: "week", reset_day: 7 },
      "2026-06-14T12:00:00Z",
      "2026-06-14T00:00Z",
      "2026-06-21T00:00Z",
    ],
    [
      "a week in which clocks go forward",
      { period: "week", reset_day: 3, time_zone: "Europe/Berlin" },
      "2026-03-29T12:00:00Z",
      "2026-03-24T23:00Z",
      "2026-03-31T22:00Z",
    ],
    ["a month", { period: "month" }, "2026-02-28T23:59:59Z", "2026-02-01T00:00Z", "2026-03-01T00:00Z"],
    [
      "a month from its 28th, before it",
      { period: "month", reset_day: 28 },
      "2028-02-27T23:59:59Z",
      "2028-01-28T00:00Z",
      "2028-02-28T00:00Z",
    ],
    [
      "a month over the new year, elsewhere",
      { period: "month", reset_day: 15, time_zone: "Asia/Tokyo" },
      "2027-01-14T14:59:59Z",
      "2026-12-14T15:00Z",
      "2027-01-14T15:00Z",
    ],
  ])("%s", (_, rule, time, start, end) => {
    expect(shown(rule, time)).toEqual([start, end]);
  });

  it("in all, has neither beginning nor end", () => {
    expect(periodAt({ period: "total" }, 0)).toEqual({ start: null, end: null });
  });
});

const ZONES = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "America/Havana",
  "America/Asuncion",
  "America/Sao_Paulo",
  "Asia/Kathmandu",
  "Asia/Beirut",
  "Africa/Cairo",
  "Australia/Lord_Howe",
  "Pacific/Chatham",
  "Pacific/Apia",
];

describe("periods", () => {
  it.each(ZONES)(
    "of %s follow each other without a gap, begin at the first instant of their date, and hold their times",
    (zone) => {
      const next = randomFrom(zone.length * 7919 + zone.charCodeAt(0));
      const date = new Intl.DateTimeFormat("en-CA", { timeZone: zone });
      for (let i = 0; i < 300; i++) {
        const time = at("2005-01-01T00:00:00Z") + Math.floor(next() * 25 * 365 * 24 * HOUR);
        const period = (["day", "week", "month"] as const)[Math.floor(next() * 3)] ?? "day";
        const days = { day: 1, week: 7, month: 28 }[period];
        const reset = period === "day" ? {} : { reset_day: 1 + Math.floor(next() * days) };
        const rule: PeriodRule = { period, time_zone: zone, ...reset };
        const { start, end } = periodAt(rule, time) as { start: number; end: number };
        expect([start <= time, time < end]).toEqual([true, true]);
        expect(periodAt(rule, start)).toEqual({ start, end });
        expect(periodAt(rule, end - 1)).toEqual({ start, end });
        expect(periodAt(rule, end).start).toBe(end);
        expect(date.format(start)).not.toBe(date.format(start - 1));
        if (period === "month") expect(Number(date.format(start).slice(-2))).toBe(rule.reset_day);
        const length = (end - start) / HOUR;
        expect(length).toBeGreaterThanOrEqual(days * 24 - 24);
        expect(length).toBeLessThanOrEqual((period === "month" ? 31 : days) * 24 + 1);
      }
    },
  );
});

it("time zones are those of IANA", () => {
  expect(["UTC", "Europe/Berlin", "Etc/GMT+5"].map(isTimeZone)).toEqual([true, true, true]);
  expect(["", "+01:00", "Mars/Olympus", "Europe/Berlin ", "x".repeat(70)].map(isTimeZone)).not.toContain(true);
});
