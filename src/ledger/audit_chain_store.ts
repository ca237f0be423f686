import { type ChainHead, type ChainLink, linkRows } from "./audit_chain.ts";
import type { OutboxRow } from "./rows.ts";

/** Where an account's audit log stands, as the ledger keeps it: the authority against which copies are checked. */

/** Number and hash of the last line. */
export const chainHead = (sql: SqlStorage): ChainHead => {
  const { seq, hash } = sql.exec<{ seq: number; hash: string }>("SELECT seq, hash FROM audit_chain WHERE id = 1").one();
  return { seq, hash };
};

/** The account's audit log as it is written. Knows its end: one that could not be written is not to be used again. */
export class AuditLog {
  readonly #sql: SqlStorage;
  #account: string | undefined;
  #head: ChainHead | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Makes rows its next lines. Call it in the transaction that writes them. */
  extend<Row extends OutboxRow>(rows: readonly Row[]): (Row & ChainLink)[] {
    this.#account ??= this.#sql.exec<{ account: string }>("SELECT account FROM account WHERE id = 1").one().account;
    const { rows: lines, head } = linkRows(this.#account, this.#head ?? chainHead(this.#sql), rows);
    this.#sql.exec("UPDATE audit_chain SET seq = ?, hash = ? WHERE id = 1", head.seq, head.hash);
    this.#head = head;
    return lines;
  }
}

/** The newest line that D1 has acknowledged: everything up to it must be there. */
export function acknowledgedHead(sql: SqlStorage): ChainHead {
  const next = sql
    .exec<{ body: string }>(
      "SELECT body FROM call_batches WHERE pos > (SELECT acked FROM outbox WHERE id = 1) ORDER BY pos LIMIT 1",
    )
    .toArray()[0];
  const waiting = next ? (JSON.parse(next.body) as Partial<ChainLink>[])[0] : undefined;
  if (!next) return chainHead(sql);
  // Rows of before the chain wait: nothing that is linked has been copied yet.
  if (waiting?.seq === undefined || waiting.prev === undefined) return { seq: 0, hash: "" };
  return { seq: waiting.seq - 1, hash: waiting.prev };
}
