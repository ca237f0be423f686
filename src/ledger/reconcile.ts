import type { ChainHead } from "./audit_chain.ts";
import type { OutboxRow } from "./rows.ts";

/** What an account's books in D1 must come to, as its ledger has them. */
export interface LedgerBooks {
  /** The same before and after D1 was read: nothing was copied meanwhile, so the two can be compared. null: it is being copied. */
  mark: string | null;
  months: MonthBooks[];
  /** Calls that wait to be copied: D1 has them as they are, as they were, or not at all. */
  waiting: string[];
}

export interface MonthBooks {
  /** `YYYY-MM` (UTC). */
  month: string;
  /** Calls that used a model, without those that wait: what `usage_records` must add up to. */
  records: Sums;
  /** All calls: what `monthly_usage` must say when none of the month waits. */
  total: Sums & { errors: number };
  waiting: number;
}

/** Tokens, and nano-USD. */
export interface Sums {
  calls: number;
  input_tokens: number;
  output_tokens: number;
  cost_nano: number;
}

export interface AuditHeads {
  /** The newest line there is. */
  head: ChainHead;
  /** The newest line D1 has acknowledged. */
  acknowledged: ChainHead;
}

const SUMS = `coalesce(sum(calls), 0) AS calls, coalesce(sum(input_tokens), 0) AS input_tokens,
  coalesce(sum(output_tokens), 0) AS output_tokens, coalesce(sum(cost_nano), 0) AS cost_nano`;

/** Reads the ledger's own totals of some months. Everything decided must be in the tables. */
export function ledgerBooks(sql: SqlStorage, mark: string | null, months: readonly string[]): LedgerBooks {
  const waiting = waitingRows(sql);
  return { mark, waiting: [...waiting.keys()], months: months.map((month) => monthBooks(sql, month, waiting)) };
}

/** The newest form of each call D1 has not acknowledged. */
function waitingRows(sql: SqlStorage): Map<string, OutboxRow> {
  const bodies = sql.exec<{ body: string }>(
    "SELECT body FROM call_batches WHERE pos > (SELECT acked FROM outbox WHERE id = 1) ORDER BY pos",
  );
  const rows = new Map<string, OutboxRow>();
  for (const { body } of bodies) for (const row of JSON.parse(body) as OutboxRow[]) rows.set(row.id, row);
  return rows;
}

function monthBooks(sql: SqlStorage, month: string, waiting: ReadonlyMap<string, OutboxRow>): MonthBooks {
  const range = [`${month}-01`, `${month}-99`];
  const total = sql
    .exec(`SELECT ${SUMS}, coalesce(sum(errors), 0) AS errors FROM tally WHERE day >= ? AND day < ?`, ...range)
    .one() as unknown as MonthBooks["total"];
  const records = sql
    .exec(`SELECT ${SUMS} FROM tally WHERE day >= ? AND day < ? AND model <> ''`, ...range)
    .one() as unknown as Sums;
  const here = [...waiting.values()].filter(({ at }) => at.startsWith(month));
  for (const row of here) {
    if (row.model === null) continue;
    records.calls -= 1;
    records.input_tokens -= row.input_tokens;
    records.output_tokens -= row.output_tokens;
    records.cost_nano -= row.cost_nano;
  }
  return { month, records: { ...records }, total: { ...total }, waiting: here.length };
}
