import type { Budget } from "./budget_types.ts";
import type { TallyRow } from "./tally.ts";

/** What a budget counts: calls of these credentials and of these tools; null = of any. */
export interface Counted {
  keyIds: readonly string[] | null;
  tools: readonly string[] | null;
}

/** A quarter of an hour: every time zone's midnight is at the beginning of one. */
const SLOT_MS = 15 * 60 * 1_000;
const DAY_MS = 24 * 60 * 60 * 1_000;

/** What one credential spent with one tool in one slot, in nano-USD. */
export interface SlotRow {
  slot: number;
  tool: string;
  key_id: string;
  cost_nano: number;
}

/** What a change of the tally by a call of this time (ISO 8601) adds; undefined when it costs nothing. */
export const slotRowOf = ({ tool, key_id, cost_nano }: TallyRow, at: string): SlotRow | undefined =>
  cost_nano === 0 ? undefined : { slot: slotOf(Date.parse(at)), tool, key_id, cost_nano };

export const slotOf = (at: number): number => Math.floor(at / SLOT_MS);

/** Budgets and what counts towards them, as tables. */
export class BudgetStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  budgets(): Budget[] {
    const rows = this.#sql.exec<{ body: string }>("SELECT body FROM budgets ORDER BY id").toArray();
    return rows.map(({ body }) => JSON.parse(body));
  }

  put(budget: Budget): void {
    this.#sql.exec("INSERT OR REPLACE INTO budgets VALUES (?, ?)", budget.id, JSON.stringify(budget));
  }

  remove(id: string): void {
    this.#sql.exec("DELETE FROM budgets WHERE id = ?", id);
  }

  addSlots(rows: readonly SlotRow[]): void {
    this.#sql.exec(
      `INSERT INTO spending SELECT value ->> 'slot', value ->> 'tool', value ->> 'key_id', value ->> 'cost_nano' FROM json_each(?) WHERE true
       ON CONFLICT DO UPDATE SET cost_nano = cost_nano + excluded.cost_nano`,
      JSON.stringify(rows),
    );
  }

  /**
   * What was spent from `start` (ms; null = ever) on, as far as it is written, in nano-USD: whole UTC days from the tally,
   * the day in which a period begins from its slots.
   */
  spentSince(start: number | null, counted: Counted): number {
    if (start === null) return this.#fromTally("", counted);
    if (start % DAY_MS === 0) return this.#fromTally(dayOf(start), counted);
    const nextDay = (Math.floor(start / DAY_MS) + 1) * DAY_MS;
    return this.#fromTally(dayOf(nextDay), counted) + this.#fromSlots(slotOf(start), slotOf(nextDay), counted);
  }

  /** Whether a credential ever called, as far as it is written. */
  hasCalled(keyId: string): boolean {
    return this.#sql.exec("SELECT 1 FROM tally WHERE key_id = ? LIMIT 1", keyId).toArray().length > 0;
  }

  #fromTally(day: string, counted: Counted): number {
    return this.#sum("SELECT coalesce(sum(cost_nano), 0) AS nano FROM tally WHERE day >= ?", [day], counted);
  }

  #fromSlots(from: number, to: number, counted: Counted): number {
    const sum = "SELECT coalesce(sum(cost_nano), 0) AS nano FROM spending WHERE slot >= ? AND slot < ?";
    return this.#sum(sum, [from, to], counted);
  }

  #sum(query: string, values: SqlStorageValue[], { keyIds, tools }: Counted): number {
    const among = (column: string, names: readonly string[] | null) =>
      names === null ? "" : ` AND ${column} IN (SELECT value FROM json_each(?))`;
    const lists = [keyIds, tools].filter((names) => names !== null).map((names) => JSON.stringify(names));
    const whole = query + among("key_id", keyIds) + among("tool", tools);
    return this.#sql.exec<{ nano: number }>(whole, ...values, ...lists).one().nano;
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
