import type * as z from "zod";
import type { usage } from "../../src/tools/usage.ts";
import { FORECAST_HOW } from "../../src/tools/usage_schema.ts";

const totals = { calls: 1_000, errors: 0, input_tokens: 0, output_tokens: 0, cost_nano: 0 };
const limit = (window: string) => ({ window, limit: 1_000_000_000, remaining: 999_999_000, reset_seconds: 60 });

/** What the governed `usage` answers in the benchmark, written down. */
export const report = {
  month: "2026-11",
  plan: "enterprise",
  total: totals,
  by_model: {},
  by_tool: { usage: totals },
  by_key: { key_0123456789abcdef: totals },
  by_day: { "2026-11-01": totals },
  tokens: { included: null, used: 0, reserved: 0, remaining: null, resets_at: "2026-12-01T00:00:00.000Z" },
  balance: { credit_nano: 0, reserved_nano: 0, available_nano: 0 },
  limits: [limit("minute"), limit("hour"), limit("day")],
  recent: Array.from({ length: 5 }, (_, i) => ({
    id: `call_${String(i).padStart(32, "0")}`,
    at: "2026-11-01T00:00:00.000Z",
    tool: "usage",
    model: null,
    key_id: "key_0123456789abcdef",
    session_id: null,
    input_tokens: 0,
    output_tokens: 0,
    cost_nano: 0,
    credit_nano: 0,
    status: "ok",
    estimated: false,
  })),
  forecast: { cost_nano: 0, calls: 30_000, tokens: 0, hours_so_far: 24, hours_in_month: 720, how: FORECAST_HOW },
  notices: [],
} satisfies z.output<typeof usage.output>;
