import type { Entry } from "./books.ts";
import type { Dimension, GroupReport, UsageGroup, UsagePage, UsageQuery } from "./report_types.ts";
import type { OutboxRow } from "./rows.ts";
import { addTo, type MonthRow, NONE, TOTALS, zero } from "./tally.ts";
import type { UsageTotals } from "./types.ts";

/** Questions that are asked of the stored tally, entries and calls. What is pending must be written before. */

const COLUMN: Readonly<Record<Dimension, string>> = {
  day: "day",
  month: "substr(day, 1, 7)",
  model: "model",
  tool: "tool",
  key: "key_id",
  session: "session",
  user: "user",
  client: "client",
};
const SUMS = TOTALS.map((field) => `coalesce(sum(${field}), 0) AS ${field}`).join(", ");

/** A call's record is written from its beginning on until its lease is over, and its id says when it began. */
const WRITTEN_BEFORE_MS = 5 * 60_000;
const WRITTEN_AFTER_MS = 10 * 60_000;

/** An entry as it is stored. `at` is in ms. */
export interface StoredEntry extends Omit<Entry, "callId" | "keyId"> {
  at: number;
  keyId: string;
}

export class UsageTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** What a month's report is made of, `YYYY-MM`: sessions, users and programs are added up. */
  month(month: string): MonthRow[] {
    return this.#sql
      .exec(
        `SELECT day, tool, model, key_id, ${SUMS} FROM tally WHERE day >= ? AND day < ? GROUP BY day, tool, model, key_id`,
        `${month}-01`,
        `${month}-99`,
      )
      .toArray() as unknown as MonthRow[];
  }

  groups({ limit, ...query }: UsageQuery & { limit: number }): GroupReport {
    const { from, to, by } = query;
    const { where, values } = conditions(query);
    const total = this.#sql.exec(`SELECT ${SUMS} FROM tally WHERE ${where}`, ...values).one() as unknown as UsageTotals;
    const order = [
      ...by.filter((name) => name === "day" || name === "month"),
      "cost_nano DESC",
      "calls DESC",
      ...by.map((name) => COLUMN[name]),
    ];
    const rows = this.#sql
      .exec(
        `SELECT ${columns(by)}, ${SUMS}, count(*) OVER () AS found FROM tally WHERE ${where}
         GROUP BY ${by.map((name) => COLUMN[name]).join(", ")} ORDER BY ${order.join(", ")} LIMIT ?`,
        ...values,
        limit,
      )
      .toArray();
    const found = Number(rows[0]?.found ?? 0);
    const groups = rows.map((row) => groupOf(by, row));
    return { from, to, by, total, groups, others: found > groups.length ? others(total, groups, found) : null };
  }

  page(query: UsageQuery, after: readonly string[] | null, size: number): UsagePage {
    const { where, values } = conditions(query);
    const names = query.by.map((name) => COLUMN[name]).join(", ");
    const beyond = after ? `AND (${names}) > (${after.map(() => "?").join(", ")})` : "";
    const rows = this.#sql
      .exec(
        `SELECT ${columns(query.by)}, ${SUMS} FROM tally WHERE ${where} ${beyond}
         GROUP BY ${names} ORDER BY ${names} LIMIT ?`,
        ...values,
        ...(after ?? []),
        size,
      )
      .toArray();
    const last = rows.length === size ? rows.at(-1) : undefined;
    return {
      groups: rows.map((row) => groupOf(query.by, row)),
      next: last ? query.by.map((name) => String(last[name])) : null,
    };
  }

  /** Everything a call left in the books, in order. */
  entriesOf(callId: string): StoredEntry[] {
    return this.#sql
      .exec<{ detail: string }>(
        `SELECT kind, at, key_id AS keyId, hold_nano AS holdNano, credit_nano AS creditNano, tokens, cost_nano AS costNano, detail
         FROM entries WHERE call_id = ? ORDER BY seq`,
        callId,
      )
      .toArray()
      .map((row) => ({ ...row, detail: JSON.parse(row.detail) }) as unknown as StoredEntry);
  }

  /** The record of a call whose id says when it began, as it was last amended. */
  callBegunAt(callId: string, at: number): OutboxRow | undefined {
    const batches = this.#sql.exec<{ body: string }>(
      "SELECT body FROM call_batches WHERE newest >= ? AND newest <= ? AND instr(body, ?) > 0 ORDER BY pos DESC",
      new Date(at - WRITTEN_BEFORE_MS).toISOString(),
      new Date(at + WRITTEN_AFTER_MS).toISOString(),
      callId,
    );
    for (const { body } of batches) {
      const row = (JSON.parse(body) as OutboxRow[]).findLast(({ id }) => id === callId);
      if (row) return row;
    }
    return undefined;
  }
}

/** Only names out of `COLUMN` become part of a statement; what callers sent is bound. */
function conditions({ from, to, filter = {} }: UsageQuery): { where: string; values: string[] } {
  const filters = Object.entries(filter) as [Dimension, string][];
  return {
    where: ["day >= ?", "day <= ?", ...filters.map(([name]) => `${COLUMN[name]} = ?`)].join(" AND "),
    values: [from, to, ...filters.map(([, value]) => value)],
  };
}

const columns = (by: readonly Dimension[]): string => by.map((name) => `${COLUMN[name]} AS ${name}`).join(", ");

function groupOf(by: readonly Dimension[], row: Record<string, unknown>): UsageGroup {
  const names = by.map((name) => [name, row[name] === NONE ? null : row[name]]);
  return Object.fromEntries([...names, ...TOTALS.map((field) => [field, row[field]])]) as UsageGroup;
}

function others(total: UsageTotals, groups: readonly UsageGroup[], found: number): UsageTotals & { groups: number } {
  const listed = zero();
  for (const group of groups) addTo(listed, group);
  const rest = { ...total };
  for (const field of TOTALS) rest[field] -= listed[field];
  return { groups: found - groups.length, ...rest };
}
