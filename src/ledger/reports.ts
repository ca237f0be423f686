import type { Books } from "./books.ts";
import { monthEnd } from "./calendar.ts";
import type { OutboxRow, Store } from "./store.ts";
import { addRow, emptyMonth, type MonthTally, rowDifference, rowOf, type TallyRow } from "./tally.ts";
import type { CallRecord, Plan, UsageReport, UsageTotals, WindowState } from "./types.ts";

/** The newest calls kept ready for a report. */
export const RECENT_CALLS = 50;

/** What an account used: the current month ready in memory, earlier ones from disk. */
export class Reports {
  readonly #store: Store;
  #tally: MonthTally;
  #resetsAt: string;
  /** Oldest first. */
  #recent: OutboxRow[];

  constructor(store: Store, month: string) {
    this.#store = store;
    this.#tally = this.#load(month);
    this.#resetsAt = monthEnd(month);
    this.#recent = store.recentCalls(RECENT_CALLS).reverse();
  }

  turnMonth(month: string): void {
    if (month <= this.#tally.month) return;
    this.#tally = emptyMonth(month);
    this.#resetsAt = monthEnd(month);
  }

  /** Takes a call in, or the amended form of one counted before. Returns the rows to add to the stored tally. */
  add(row: OutboxRow, before?: OutboxRow): TallyRow[] {
    const rows = before ? rowDifference(before, row) : [rowOf(row)];
    for (const change of rows) if (change.day.startsWith(this.#tally.month)) addRow(this.#tally, change);
    const known = before ? this.#recent.findIndex((call) => call.id === row.id) : -1;
    if (known >= 0) this.#recent[known] = row;
    else {
      this.#recent.push(row);
      if (this.#recent.length > 2 * RECENT_CALLS) this.#recent = this.#recent.slice(-RECENT_CALLS);
    }
    return rows;
  }

  totals(month: string): UsageTotals {
    return (month === this.#tally.month ? this.#tally : this.#load(month)).total;
  }

  report(
    reads: { recent: number; month?: string },
    now: { plan: Plan; windows: WindowState[]; books: Books },
  ): UsageReport {
    const month = reads.month ?? this.#tally.month;
    const tally = month === this.#tally.month ? this.#tally : this.#load(month);
    const { books, plan } = now;
    return {
      ...tally,
      plan: plan.id,
      tokens: {
        included: plan.monthlyTokens,
        used: books.state.tokensUsed,
        reserved: books.reservedTokens,
        remaining: plan.monthlyTokens === null ? null : books.remainingTokens(plan.monthlyTokens),
        resets_at: this.#resetsAt,
      },
      balance: {
        credit_nano: books.state.balanceNano,
        reserved_nano: books.reservedNano,
        available_nano: books.availableNano,
      },
      windows: now.windows,
      recent: reads.recent === 0 ? [] : this.#recent.slice(-reads.recent).reverse().map(publicRecord),
    };
  }

  #load(month: string): MonthTally {
    const tally = emptyMonth(month);
    for (const row of this.#store.tally(month)) addRow(tally, row);
    return tally;
  }
}

function publicRecord(row: OutboxRow): CallRecord {
  const { id, at, tool, model, key_id, input_tokens, output_tokens, cost_nano, credit_nano, status, estimated } = row;
  return { id, at, tool, model, key_id, input_tokens, output_tokens, cost_nano, credit_nano, status, estimated };
}
