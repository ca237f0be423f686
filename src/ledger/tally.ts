import type { OutboxRow } from "./rows.ts";
import type { UsageTotals } from "./types.ts";

/** One row of usage at its finest grain: a day, tool, model, key, session, user and program. */
export interface TallyRow extends UsageTotals {
  day: string;
  tool: string;
  model: string;
  key_id: string;
  session: string;
  user: string;
  client: string;
}

/** A row as far as the month's report needs it. */
export type MonthRow = Pick<TallyRow, "day" | "tool" | "model" | "key_id" | keyof UsageTotals>;

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

/** The name under which calls are counted that have none in a dimension. */
export const NONE = "";

/** A program may announce itself with any text: what is counted is the name before its version. */
const PRODUCT = /^[\w.-]{1,40}/;

export const zero = (): UsageTotals => ({ calls: 0, errors: 0, input_tokens: 0, output_tokens: 0, cost_nano: 0 });

export const emptyMonth = (month: string): MonthTally => ({
  month,
  total: zero(),
  by_model: {},
  by_tool: {},
  by_key: {},
  by_day: {},
});

/** The month as it is now: what is counted later does not show in it. */
export const copyOf = ({ month, total, by_model, by_tool, by_key, by_day }: MonthTally): MonthTally => ({
  month,
  total: { ...total },
  by_model: copyOfAll(by_model),
  by_tool: copyOfAll(by_tool),
  by_key: copyOfAll(by_key),
  by_day: copyOfAll(by_day),
});

function copyOfAll(totals: Totals): Totals {
  const copy: Totals = {};
  for (const name in totals) copy[name] = { ...(totals[name] as UsageTotals) };
  return copy;
}

/** Adds a row to a month's totals. */
export function addRow(tally: MonthTally, row: MonthRow): void {
  addTo(tally.total, row);
  if (row.model !== NONE) addTo(under(tally.by_model, row.model), row);
  addTo(under(tally.by_tool, row.tool), row);
  addTo(under(tally.by_key, row.key_id), row);
  addTo(under(tally.by_day, row.day), row);
}

/** What a call record adds to the tally: each model has its share, and the call counts once, for the one that answered. */
function rowsOf(record: OutboxRow): TallyRow[] {
  const row = rowOf(record);
  if (!record.shares) return [row];
  const others = record.shares.map((share) => ({ ...row, ...share, calls: 0, errors: 0 }));
  for (const share of record.shares) {
    row.input_tokens -= share.input_tokens;
    row.output_tokens -= share.output_tokens;
    row.cost_nano -= share.cost_nano;
  }
  return [row, ...others];
}

function rowOf(record: OutboxRow): TallyRow {
  return {
    day: record.at.slice(0, 10),
    tool: record.tool,
    model: record.model ?? NONE,
    key_id: record.key_id,
    // Calls recorded before there was this dimension have none.
    session: record.session_id ?? NONE,
    user: record.user,
    client: PRODUCT.exec(record.client ?? "")?.[0] ?? NONE,
    calls: 1,
    errors: record.status === "ok" ? 0 : 1,
    input_tokens: record.input_tokens,
    output_tokens: record.output_tokens,
    cost_nano: record.cost_nano,
  };
}

/** What a record changes in the tally: all that it adds, or, amended, what sets it apart from what was counted. */
export const changesOf = (record: OutboxRow, amended?: OutboxRow): TallyRow[] =>
  amended ? rowDifference(amended, record) : rowsOf(record);

/** What changes in the tally when a record already counted as `before` turns out as `after`. */
function rowDifference(before: OutboxRow, after: OutboxRow): TallyRow[] {
  const minus = rowsOf(before);
  for (const row of minus) for (const field of TOTALS) row[field] = -row[field];
  return [...minus, ...rowsOf(after)];
}

/** Rows not yet stored, merged by their grain. */
export class PendingRows {
  readonly #rows = new Map<string, TallyRow>();

  add(row: TallyRow): void {
    const { day, tool, model, key_id, session, user, client } = row;
    const grain = `${day} ${tool} ${model} ${key_id} ${session} ${user} ${client}`;
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

export const TOTALS = ["calls", "errors", "input_tokens", "output_tokens", "cost_nano"] as const;

/** Field by field: every call is counted in six places. */
export function addTo(totals: UsageTotals, more: UsageTotals): void {
  totals.calls += more.calls;
  totals.errors += more.errors;
  totals.input_tokens += more.input_tokens;
  totals.output_tokens += more.output_tokens;
  totals.cost_nano += more.cost_nano;
}

function under(totals: Totals, name: string): UsageTotals {
  let entry = totals[name];
  if (!entry) {
    entry = zero();
    totals[name] = entry;
  }
  return entry;
}
