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
    return this.#sql.exec("SELECT 1 FROM entries WHERE call_id = ? AND kind = ?", id, kind).toArray().length > 0;
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

  /** Which of these calls were charged. */
  chargedAmong(callIds: readonly string[]): Set<string> {
    const rows = this.#sql.exec<{ id: string }>(
      "SELECT call_id AS id FROM entries WHERE kind = 'settle' AND call_id IN (SELECT value FROM json_each(?))",
      JSON.stringify(callIds),
    );
    return new Set(rows.toArray().map(({ id }) => id));
  }

  autoTopUp(): string | null {
    return this.#sql.exec<{ body: string }>("SELECT body FROM auto_top_up WHERE id = 1").toArray()[0]?.body ?? null;
  }

  putAutoTopUp(body: string): void {
    this.#sql.exec("INSERT OR REPLACE INTO auto_top_up VALUES (1, ?)", body);
  }
}
