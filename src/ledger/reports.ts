import type { Books } from "./books.ts";
import type { NoticeInfo } from "./budget_types.ts";
import { monthEnd } from "./calendar.ts";
import { callDetails } from "./call_details.ts";
import { forecastOf } from "./forecast.ts";
import type { CallDetails, Quota, UsageAnswers, UsageReads } from "./report_types.ts";
import type { OutboxRow } from "./rows.ts";
import type { Store } from "./store.ts";
import { addRow, changesOf, copyOf, emptyMonth, type MonthTally, type TallyRow } from "./tally.ts";
import type { CallRecord, Left, Plan, UsageReport, UsageTotals, WindowState } from "./types.ts";

/** The newest calls kept ready for a report. */
export const RECENT_CALLS = 50;
/** Groups that cross to an export at a time. */
export const GROUPS_A_PAGE = 2_000;

/** The account as of the admission that asks. `write` puts what is pending into the tables. */
interface Present {
  plan: Plan;
  windows: WindowState[];
  books: Books;
  now: number;
  notices: () => NoticeInfo[];
  write: () => void;
}

/** What an account used: the current month ready in memory, everything else from disk. */
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
    // What was booked for the new month before it began, by a clock that ran ahead, is there already.
    this.#tally = this.#load(month);
    this.#resetsAt = monthEnd(month);
  }

  /** Takes a call in, or the amended form of one counted before. Returns the rows to add to the stored tally. */
  add(row: OutboxRow, before?: OutboxRow): TallyRow[] {
    const rows = changesOf(row, before);
    for (const change of rows) if (change.day.startsWith(this.#tally.month)) addRow(this.#tally, change);
    const known = before ? this.#recent.findIndex((call) => call.id === row.id) : -1;
    if (known >= 0) this.#recent[known] = row;
    else {
      this.#recent.push(row);
      if (this.#recent.length > 2 * RECENT_CALLS) this.#recent = this.#recent.slice(-RECENT_CALLS);
    }
    return rows;
  }

  /** The record of one of the newest calls. */
  recentCall(id: string): OutboxRow | undefined {
    return this.#recent.findLast((call) => call.id === id);
  }

  totals(month: string): UsageTotals {
    return (month === this.#tally.month ? this.#tally : this.#load(month)).total;
  }

  /** What is left after everything posted so far. */
  left({ plan, books }: { plan: Pick<Plan, "monthlyTokens">; books: Books }): Left {
    return {
      plan_tokens: plan.monthlyTokens === null ? null : books.remainingTokens(plan.monthlyTokens),
      resets_at: this.#resetsAt,
      credit_nano: books.availableNano,
    };
  }

  /** Whether an answer needs no more than is in memory. */
  isReady({ month, groups, callId }: UsageReads): boolean {
    return !groups && callId === undefined && (month === undefined || month === this.#tally.month);
  }

  answer(reads: UsageReads, present: Present): UsageAnswers {
    const { recent, month = this.#tally.month, quota, groups, callId } = reads;
    const isPast = recent !== undefined && month !== this.#tally.month;
    if (groups || callId !== undefined || isPast) present.write();
    return {
      ...(recent === undefined ? {} : { usage: this.#report(recent, month, present) }),
      ...(quota ? { quota: this.#quota(present) } : {}),
      ...(groups ? { groups: this.#store.usage.groups(groups) } : {}),
      ...(callId === undefined ? {} : { call: this.#details(callId) }),
    };
  }

  #report(recent: number, month: string, present: Present): UsageReport {
    const isCurrent = month === this.#tally.month;
    const tally = isCurrent ? this.#tally : this.#load(month);
    return Object.assign(copyOf(tally), this.#quota(present), {
      recent: recent === 0 ? [] : this.#recent.slice(-recent).reverse().map(publicRecord),
      forecast: isCurrent ? forecastOf(month, tally.total, present.now) : null,
      notices: present.notices(),
    });
  }

  #quota({ plan, windows, books }: Present): Quota {
    return {
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
      windows,
    };
  }

  #details(id: string): CallDetails | null {
    const entries = this.#store.usage.entriesOf(id);
    const begun = Number.parseInt(/^call_([0-9a-z]{8})/.exec(id)?.[1] ?? "", 36);
    const row = this.recentCall(id) ?? (Number.isNaN(begun) ? undefined : this.#store.usage.callBegunAt(id, begun));
    return callDetails(id, entries, row);
  }

  #load(month: string): MonthTally {
    const tally = emptyMonth(month);
    for (const row of this.#store.usage.month(month)) addRow(tally, row);
    return tally;
  }
}

function publicRecord(row: OutboxRow): CallRecord {
  const { id, at, tool, model, key_id, input_tokens, output_tokens, cost_nano, credit_nano, status, estimated } = row;
  const session_id = row.session_id ?? null;
  return {
    id,
    at,
    tool,
    model,
    key_id,
    input_tokens,
    output_tokens,
    cost_nano,
    credit_nano,
    status,
    estimated,
    session_id,
  };
}
