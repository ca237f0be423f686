import type { Books } from "./books.ts";
import type { Budgets } from "./budgets.ts";
import { monthEnd, monthOf } from "./calendar.ts";
import type { Journal } from "./journal.ts";
import type { Reports } from "./reports.ts";

/** Begins the months and budget periods that have begun: before anything is decided or told. */
export class PeriodTurn {
  readonly #around: { books: Books; budgets: Budgets; journal: Journal; reports: Reports; now: () => number };
  #monthEndsAt = 0;

  constructor(around: { books: Books; budgets: Budgets; journal: Journal; reports: Reports; now: () => number }) {
    this.#around = around;
  }

  /** Whether something has begun that is not turned to yet. */
  isDue(now: number): boolean {
    return now >= this.#monthEndsAt || now >= this.#around.budgets.turnsAt;
  }

  turn(): void {
    const { books, budgets, journal, reports } = this.#around;
    const now = this.#around.now();
    if (now >= budgets.turnsAt) {
      // What crossed a threshold in the period that ends is noticed in it.
      journal.write();
      budgets.turn(now);
    }
    if (now < this.#monthEndsAt) return;
    if (this.#monthEndsAt > 0) journal.write();
    const month = monthOf(now);
    this.#monthEndsAt = Date.parse(monthEnd(month));
    books.turnMonth(month);
    journal.write();
    reports.turnMonth(month);
  }
}
