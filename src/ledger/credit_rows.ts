import type { TokenUsage } from "./money.ts";
import type { MovementKind } from "./types.ts";

/** Statements over entries that move prepaid credit, and over the account's automatic top-up. */

/** A movement of prepaid credit as it is listed. `nano_usd` is signed; a notice moves nothing. */
export interface Movement {
  id: string;
  kind: MovementKind;
  at: string;
  nano_usd: number;
  note: string;
}

/** The words of the partial index `entries_of_credit`: the planner takes it for no others. */
const OF_CREDIT = "kind IN ('credit', 'refund', 'dispute', 'adjust', 'notice')";

export class CreditRows {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Whether an entry of this id and kind was written. */
  has(id: string, kind: MovementKind): boolean {
    return this.amountOf(id, kind) !== undefined;
  }

  /** What the entry of this id and kind moved, nano-USD; undefined when there is none. */
  amountOf(id: string, kind: MovementKind): number | undefined {
    return this.#sql
      .exec<{ nano: number }>("SELECT credit_nano AS nano FROM entries WHERE call_id = ? AND kind = ?", id, kind)
      .toArray()[0]?.nano;
  }

  /** What entries whose ids begin so moved together, nano-USD. */
  sumUnder(prefix: string, kind: MovementKind): number {
    return this.#sql
      .exec<{ nano: number }>(
        "SELECT coalesce(sum(credit_nano), 0) AS nano FROM entries WHERE call_id >= ?1 AND call_id < ?2 AND kind = ?3",
        prefix,
        `${prefix}\u{10ffff}`,
        kind,
      )
      .one().nano;
  }

  /** Newest first. */
  newest(limit: number): Movement[] {
    return this.#sql
      .exec<{ id: string; kind: MovementKind; at: number; nano: number; note: string | null }>(
        `SELECT call_id AS id, kind, at, credit_nano AS nano, detail ->> 'note' AS note FROM entries
         WHERE ${OF_CREDIT} ORDER BY seq DESC LIMIT ?`,
        limit,
      )
      .toArray()
      .map(({ id, kind, at, nano, note }) => ({
        id,
        kind,
        at: new Date(at).toISOString(),
        nano_usd: nano,
        note: note ?? "",
      }));
  }

  /** Which of these calls were charged, and for what. */
  chargedAmong(callIds: readonly string[]): Map<string, { model: string; usage: TokenUsage }> {
    const rows = this.#sql.exec<{ id: string; model: string; usage: string }>(
      `SELECT call_id AS id, detail ->> 'model' AS model, detail -> 'usage' AS usage FROM entries
       WHERE kind = 'settle' AND call_id IN (SELECT value FROM json_each(?))`,
      JSON.stringify(callIds),
    );
    return new Map(rows.toArray().map(({ id, model, usage }) => [id, { model, usage: JSON.parse(usage) }]));
  }

  autoTopUp(): string | null {
    return this.#sql.exec<{ body: string }>("SELECT body FROM auto_top_up WHERE id = 1").toArray()[0]?.body ?? null;
  }

  putAutoTopUp(body: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO auto_top_up VALUES (1, ?)", body);
  }
}
