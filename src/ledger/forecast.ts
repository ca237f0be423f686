import { monthEnd } from "./calendar.ts";
import type { Forecast } from "./report_types.ts";
import type { UsageTotals } from "./types.ts";

const HOUR_MS = 3_600_000;

/** What a running month comes to if it goes on as until `now` (ms). Less than a day is taken as a day, or an hour's work would promise a fortune. */
export function forecastOf(month: string, total: UsageTotals, now: number): Forecast {
  const begin = Date.parse(`${month}-01T00:00:00Z`);
  const hours_in_month = (Date.parse(monthEnd(month)) - begin) / HOUR_MS;
  const begun = Math.floor((now - begin) / HOUR_MS) + 1;
  const hours_so_far = Math.min(hours_in_month, Math.max(24, begun));
  // Over BigInt: a cost times hours may exceed what a double holds exactly.
  const whole = (sum: number) => Number((BigInt(sum) * BigInt(hours_in_month)) / BigInt(hours_so_far));
  return {
    cost_nano: whole(total.cost_nano),
    calls: whole(total.calls),
    tokens: whole(total.input_tokens + total.output_tokens),
    hours_so_far,
    hours_in_month,
  };
}
