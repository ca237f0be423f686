import type { GroupReport, UsageGroup } from "../ledger/report_types.ts";
import type { CallRecord, UsageTotals } from "../ledger/types.ts";
import { howMany, RESULT_TOKENS, tokensOf } from "./cut.ts";
import type { NextCall } from "./next_calls.ts";

type Split = Record<string, UsageTotals>;

/** The parts of a usage report that can grow long. */
interface Long {
  month: string;
  by_model: Split;
  by_tool: Split;
  by_key: Split;
  by_day: Split;
  recent: CallRecord[];
  notices?: readonly string[];
  budgets?: readonly string[];
  groups?: GroupReport | undefined;
  call?: unknown;
}

/** What is needed most comes first: the later ones share what is left. */
const SPLITS = ["by_model", "by_tool", "by_day", "by_key"] as const;
/** Splits are cut to no fewer than their dearest, so that each says something. */
const AT_LEAST = 3;

/**
 * The report with as much of its lists as an agent is given at once: of the calls the newest, of a split the dearest.
 * `left_out` counts what is not there, `next` gets it.
 */
export function cutReport<R extends Long>(
  report: R,
): { report: R; left_out?: Record<string, number>; next: NextCall[] } {
  // No character takes more than one token, and most reports are short.
  if (mostCharacters(report) <= RESULT_TOKENS || JSON.stringify(report).length <= RESULT_TOKENS)
    return { report, next: [] };
  const { recent, month } = report;
  const lists = new Set<string>([...SPLITS, "recent", "groups"]);
  let left = RESULT_TOKENS - tokensOf(Object.fromEntries(Object.entries(report).filter(([name]) => !lists.has(name))));
  const left_out: Record<string, number> = {};
  const kept: Partial<Long> = {};
  const next: NextCall[] = [];
  if (report.groups) {
    kept.groups = cutGroups(report.groups, left);
    left -= tokensOf(kept.groups);
  }
  const some = recent.slice(0, howMany(recent, left, 0));
  if (some.length < recent.length) {
    left_out.recent = recent.length - some.length;
    next.push({ tool: "usage", arguments: { month, recent: recent.length }, why: "for all of these calls" });
  }
  kept.recent = some;
  left -= tokensOf(some);
  for (const name of SPLITS) {
    const entries = Object.entries(report[name]);
    const dearest = entries.toSorted(([, a], [, b]) => b.cost_nano - a.cost_nano);
    const fit = new Set(dearest.slice(0, howMany(dearest, left, AT_LEAST)));
    kept[name] = Object.fromEntries(entries.filter((entry) => fit.has(entry)));
    left -= tokensOf(kept[name]);
    if (fit.size === entries.length) continue;
    left_out[name] = entries.length - fit.size;
    const by = name.slice("by_".length);
    next.push({ tool: "usage", arguments: { month, recent: 0, group_by: [by] }, why: `for the split by ${by}` });
  }
  return { report: { ...report, ...kept }, ...(next.length > 0 ? { left_out } : {}), next };
}

/** The most characters of five counts with their names, of a call beside its names, and of all that every report says once. */
const TOTALS_CHARACTERS = 150;
const CALL_CHARACTERS = 270;
const ONCE_CHARACTERS = 1_200;
/** A quotation mark is written as two. */
const ESCAPED = 2;

/** The most characters a report can have, reckoned without writing it out: that costs as much as all else of a short one. */
export function mostCharacters(report: Long): number {
  if (report.groups || report.call) return Number.POSITIVE_INFINITY;
  let most = ONCE_CHARACTERS;
  for (const name of SPLITS) for (const entry in report[name]) most += TOTALS_CHARACTERS + ESCAPED * entry.length;
  for (const { id, tool, model, key_id, status, session_id } of report.recent) {
    const names = id.length + tool.length + key_id.length + status.length;
    most += CALL_CHARACTERS + ESCAPED * (names + (model?.length ?? 0) + (session_id?.length ?? 0));
  }
  for (const notice of [...(report.notices ?? []), ...(report.budgets ?? [])]) most += ESCAPED * (notice.length + 2);
  return most;
}

/** What is not listed goes into the sum of the others, so that the total stays the sum of both. */
function cutGroups(report: GroupReport, tokens: number): GroupReport {
  const n = howMany(report.groups, tokens);
  const rest = report.groups.slice(n);
  if (rest.length === 0) return report;
  const others = rest.reduce<NonNullable<GroupReport["others"]>>(
    (sum, group) => ({ ...added(sum, group), groups: sum.groups + 1 }),
    report.others ?? { calls: 0, errors: 0, input_tokens: 0, output_tokens: 0, cost_nano: 0, groups: 0 },
  );
  return { ...report, groups: report.groups.slice(0, n), others };
}

const added = (a: UsageTotals, b: UsageGroup): UsageTotals => ({
  calls: a.calls + b.calls,
  errors: a.errors + b.errors,
  input_tokens: a.input_tokens + b.input_tokens,
  output_tokens: a.output_tokens + b.output_tokens,
  cost_nano: a.cost_nano + b.cost_nano,
});
