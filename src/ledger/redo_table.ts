import type { RedoRecord } from "./redo.ts";

/**
 * The redo log on disk. Its rows are written over and never deleted: a table that is filled and emptied again and again has
 * its free pages to keep account of, which is a third of all that a call writes. Every row says in which epoch it was written,
 * and the log is cleared by beginning the next.
 */
export class RedoTable {
  readonly #sql: SqlStorage;
  /** The epoch, and the last row written in it; undefined: the tables say. */
  #at: { epoch: number; seq: number } | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  append(record: RedoRecord): void {
    this.#at ??= this.#load();
    const { epoch } = this.#at;
    const body = JSON.stringify(record);
    this.#sql.exec("INSERT OR REPLACE INTO redo (seq, epoch, body) VALUES (?, ?, ?)", ++this.#at.seq, epoch, body);
  }

  /** Oldest first. */
  all(): RedoRecord[] {
    const rows = this.#sql.exec<{ body: string }>(
      "SELECT body FROM redo WHERE epoch = (SELECT epoch FROM redo_epoch) ORDER BY seq",
    );
    return rows.toArray().map(({ body }) => JSON.parse(body));
  }

  clear(): void {
    this.#sql.exec("UPDATE redo_epoch SET epoch = epoch + 1");
    // Read anew: the transaction that this is part of may fail.
    this.#at = undefined;
  }

  #load(): { epoch: number; seq: number } {
    return this.#sql
      .exec<{ epoch: number; seq: number }>(
        "SELECT epoch, (SELECT coalesce(max(seq), 0) FROM redo r WHERE r.epoch = e.epoch) AS seq FROM redo_epoch e",
      )
      .one();
  }
}
