import { describe, expect, it } from "vitest";
import { RESULT_TOKENS, tokensOf } from "./cut.ts";
import { cutReport, mostCharacters } from "./usage_cut.ts";
import { FORECAST_HOW } from "./usage_schema.ts";

const totals = (cost_nano: number) => ({ calls: 1, errors: 0, input_tokens: 10, output_tokens: 5, cost_nano });
const split = (name: string, n: number) =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`${name}-${"x".repeat(20)}-${i}`, totals(i)]));
const recent = (n: number) =>
  Array.from({ length: n }, (_, i) => ({
    id: `call_${i}`.padEnd(37, "0"),
    at: "2026-01-31T12:00:00Z",
    tool: "chat",
    model: "openai/gpt-5",
    key_id: "key_1",
    input_tokens: 10,
    output_tokens: 5,
    cost_nano: i,
    credit_nano: 0,
    status: "ok",
    estimated: false,
    session_id: null,
  }));
const groups = (n: number, others: number) => ({
  from: "2026-01-01",
  to: "2026-01-31",
  by: ["session" as const],
  total: totals(n + others),
  groups: Array.from({ length: n }, (_, i) => ({ session: `session-${"7f3ac".repeat(20)}-${i}`, ...totals(1) })),
  others: others > 0 ? { ...totals(others), groups: others } : null,
});

const report = (keys: number, calls: number, more = {}) => ({
  month: "2026-01",
  by_model: split("model", 3),
  by_tool: split("tool", 4),
  by_day: split("day", 5),
  by_key: split("key", keys),
  recent: recent(calls),
  ...more,
});

describe("a usage report", () => {
  it("that is short stays as it is", () => {
    const whole = report(3, 5, { groups: groups(5, 2) });
    expect(cutReport(whole)).toEqual({ report: whole, next: [] });
  });

  it("is never longer than it is reckoned to be, with the largest numbers and quotation marks in its names", () => {
    const most = Number.MAX_SAFE_INTEGER;
    const all = { calls: most, errors: most, input_tokens: most, output_tokens: most, cost_nano: most };
    const window = { window: "minute", limit: most, remaining: most, reset_seconds: most };
    const { cost_nano, calls } = all;
    const whole = {
      ...report(0, 0),
      plan: "enterprise",
      total: all,
      by_model: { ['"model"'.repeat(9)]: all },
      by_tool: { chat: all, usage: all },
      tokens: { included: most, used: most, reserved: most, remaining: most, resets_at: "2026-02-01T00:00:00.000Z" },
      balance: { credit_nano: -most, reserved_nano: most, available_nano: -most },
      limits: [window, window, window],
      recent: recent(5).map((call) => ({ ...call, ...all, credit_nano: most, session_id: '"s"'.repeat(20) })),
      forecast: { cost_nano, calls, tokens: most, hours_so_far: 744, hours_in_month: 744, how: FORECAST_HOW },
      notices: ['80 % of the hard budget "day" of $1 is spent.'],
      budgets: Array(5).fill(
        `${"b".repeat(64)} (hard, chat_completions): $${most} spent and $${most} held of $${most} a month.`,
      ),
    };
    expect(JSON.stringify(whole).length).toBeLessThanOrEqual(mostCharacters(whole));
    expect(mostCharacters(report(1, 5))).toBeLessThan(3 * JSON.stringify(report(1, 5)).length);
  });

  it("with hundreds of keys tells the dearest, counts the others, and says how to ask for them", () => {
    const { report: told, left_out, next } = cutReport(report(400, 5));
    expect(tokensOf(told)).toBeLessThan(RESULT_TOKENS * 1.05);
    const kept = Object.values(told.by_key).map(({ cost_nano }) => cost_nano);
    expect(kept.length + (left_out?.by_key ?? 0)).toBe(400);
    expect(Math.min(...kept)).toBe(400 - kept.length);
    expect(next).toEqual([
      expect.objectContaining({ tool: "usage", arguments: { month: "2026-01", recent: 0, group_by: ["key"] } }),
    ]);
    expect(told.by_day).toEqual(report(0, 0).by_day);
  });

  it("with long groups leaves out the last of them, and its sums still add up", () => {
    const { report: told } = cutReport(
      report(3, 50, { groups: groups(50, 7) }) as ReturnType<typeof report> & { groups: ReturnType<typeof groups> },
    );
    const { groups: listed, others, total } = told.groups;
    expect(listed.length).toBeLessThan(50);
    expect(listed.length + (others?.groups ?? 0)).toBe(57);
    expect(listed.reduce((sum, { cost_nano }) => sum + cost_nano, others?.cost_nano ?? 0)).toBe(total.cost_nano);
    expect(tokensOf(told)).toBeLessThan(RESULT_TOKENS * 1.05 + 600);
  });
});
