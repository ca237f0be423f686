import type { Budgets } from "./budgets.ts";
import type { Journal } from "./journal.ts";
import type { Reports } from "./reports.ts";
import type { OutboxRow } from "./rows.ts";

/** Books calls: each record takes the next position in the outbox, and what it changes in the tally is counted with it. */
export class CallBook {
  readonly #journal: Journal;
  readonly #reports: Reports;
  readonly #budgets: Budgets;
  #pos: number;

  /** `pos`: of the newest record there is. */
  constructor(pos: number, around: { journal: Journal; reports: Reports; budgets: Budgets }) {
    this.#pos = pos;
    this.#journal = around.journal;
    this.#reports = around.reports;
    this.#budgets = around.budgets;
  }

  /** Books a call, or amends how it was counted `before`. The row is the book's from now on. */
  put(row: OutboxRow, before?: OutboxRow): void {
    row.pos = ++this.#pos;
    this.#journal.putCall(row, before);
    for (const change of this.#reports.add(row, before)) {
      this.#journal.tally(change);
      this.#budgets.add(change, row.at);
    }
  }
}
