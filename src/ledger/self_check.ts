import { ok, type Result } from "../errors.ts";
import { acknowledgedHead, chainHead } from "./audit_chain_store.ts";
import type { LedgerParts } from "./ledger_parts.ts";
import type { Outbox } from "./outbox.ts";
import { type AuditHeads, type LedgerBooks, ledgerBooks } from "./reconcile.ts";
import type { LedgerAudit } from "./types.ts";

/** The ledger's account of itself: memory against tables, tables against D1. */
export class SelfCheck {
  readonly #parts: LedgerParts;
  readonly #outbox: Outbox;
  readonly #sql: SqlStorage;

  constructor(parts: LedgerParts, outbox: Outbox, sql: SqlStorage) {
    this.#parts = parts;
    this.#outbox = outbox;
    this.#sql = sql;
  }

  async audit(): Promise<Result<LedgerAudit>> {
    const { journal, store, books } = this.#parts;
    journal.write(true);
    const sums = store.sums();
    const { balanceNano, settledCostNano } = books.state;
    const reserved = books.reservedNano;
    return ok({
      balance_nano: balanceNano,
      entries_sum_nano: sums.credit,
      reserved_nano: reserved,
      open_holds: sums.holds,
      open_holds_sum_nano: sums.holdsNano,
      settled_cost_nano: settledCostNano,
      entries: sums.entries,
      outbox_pending: this.#outbox.pending,
      consistent:
        balanceNano === sums.credit &&
        reserved === sums.hold &&
        sums.hold === sums.holdsNano &&
        settledCostNano === sums.cost,
    });
  }

  /** Copies what waits, then says what D1 must have. */
  async reconciliation(db: D1Database, months: readonly string[]): Promise<LedgerBooks> {
    const { journal, now } = this.#parts;
    // What the log alone has waits too.
    journal.write();
    await this.#outbox.drain(db, now);
    journal.write();
    return ledgerBooks(this.#sql, this.#outbox.mark, months);
  }

  /** As `LedgerBooks.mark`. */
  get copyMark(): string | null {
    return this.#outbox.mark;
  }

  /** Where the audit log stands. */
  async auditHeads(): Promise<AuditHeads> {
    this.#parts.journal.write();
    return { head: chainHead(this.#sql), acknowledged: acknowledgedHead(this.#sql) };
  }
}
