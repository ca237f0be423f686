import { spanOf } from "./calendar.ts";
import type { Forecast } from "./report_types.ts";
import type { UsageTotals } from "./types.ts";

const HOUR_MS = 3_600_000;

/** What a running month comes to if it goes on as until `now` (ms). Less than a day is taken as a day, or an hour's work would promise a fortune. */
export function forecastOf(month: string, total: UsageTotals, now: number): Forecast {
  const { begin, end } = spanOf(month);
  const hours_in_month = (end - begin) / HOUR_MS;
  const begun = Math.floor((now - begin) / HOUR_MS) + 1;
  const hours_so_far = Math.min(hours_in_month, Math.max(24, begun));
  const whole = (sum: number) => {
    const product = sum * hours_in_month;
    if (Number.isSafeInteger(product)) return Math.trunc(product / hours_so_far);
    return Number((BigInt(sum) * BigInt(hours_in_month)) / BigInt(hours_so_far));
  };
  return {
    cost_nano: whole(total.cost_nano),
    calls: whole(total.calls),
    tokens: whole(total.input_tokens + total.output_tokens),
    hours_so_far,
    hours_in_month,
  };
}
