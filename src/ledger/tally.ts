import type { CallRecord, UsageTotals } from "./types.ts";

/** One row of usage at its finest grain: a day, tool, model and key. */
export interface TallyRow extends UsageTotals {
  day: string;
  tool: string;
  model: string;
  key_id: string;
}

type Totals = Record<string, UsageTotals>;

/** What a month came to, kept ready so that a report costs no query. */
export interface MonthTally {
  month: string;
  total: UsageTotals;
  by_model: Totals;
  by_tool: Totals;
  by_key: Totals;
  by_day: Totals;
}

/** The name under which calls without a model are counted. */
const NO_MODEL = "";

const zero = (): UsageTotals => ({ calls: 0, errors: 0, input_tokens: 0, output_tokens: 0, cost_nano: 0 });

export const emptyMonth = (month: string): MonthTally => ({
  month,
  total: zero(),
  by_model: {},
  by_tool: {},
  by_key: {},
  by_day: {},
});

/** Adds a row to a month's totals. */
export function addRow(tally: MonthTally, row: TallyRow): void {
  addTo(tally.total, row);
  if (row.model !== NO_MODEL) addTo(under(tally.by_model, row.model), row);
  addTo(under(tally.by_tool, row.tool), row);
  addTo(under(tally.by_key, row.key_id), row);
  addTo(under(tally.by_day, row.day), row);
}

/** What a call record adds to the tally. */
export function rowOf(record: CallRecord): TallyRow {
  return {
    day: record.at.slice(0, 10),
    tool: record.tool,
    model: record.model ?? NO_MODEL,
    key_id: record.key_id,
    calls: 1,
    errors: record.status === "ok" ? 0 : 1,
    input_tokens: record.input_tokens,
    output_tokens: record.output_tokens,
    cost_nano: record.cost_nano,
  };
}

/** What changes in the tally when a record already counted as `before` turns out as `after`. */
export function rowDifference(before: CallRecord, after: CallRecord): TallyRow[] {
  const minus = rowOf(before);
  for (const field of FIELDS) minus[field] = -minus[field];
  return [minus, rowOf(after)];
}

/** Rows not yet stored, merged by their grain. */
export class PendingRows {
  readonly #rows = new Map<string, TallyRow>();

  add(row: TallyRow): void {
    const grain = `${row.day} ${row.tool} ${row.model} ${row.key_id}`;
    const known = this.#rows.get(grain);
    if (known) addTo(known, row);
    else this.#rows.set(grain, { ...row });
  }

  drain(): TallyRow[] {
    const rows = [...this.#rows.values()];
    this.#rows.clear();
    return rows;
  }
}

const FIELDS = ["calls", "errors", "input_tokens", "output_tokens", "cost_nano"] as const;

function addTo(totals: UsageTotals, more: UsageTotals): void {
  for (const field of FIELDS) totals[field] += more[field];
}

function under(totals: Totals, name: string): UsageTotals {
  let entry = totals[name];
  if (!entry) {
    entry = zero();
    totals[name] = entry;
  }
  return entry;
}
