import type { Books } from "./books.ts";
import { type NoticeInfo, THRESHOLDS, type Threshold } from "./budget_types.ts";
import type { Budgets, Tracked } from "./budgets.ts";
import { monthEnd } from "./calendar.ts";
import { formatUsd } from "./money.ts";
import type { NewNotice, NoticeStore } from "./notice_store.ts";
import type { Plan } from "./types.ts";

/** Notices kept ready for a report. */
const RECENT = 10;

/**
 * Notices that half, four fifths or all of something is used: of a budget, of the plan's tokens of a month, of the prepaid
 * credit there was when credit was last added. Each is given once, in the transaction that writes what crossed the line.
 */
export class Notices {
  readonly #store: NoticeStore;
  readonly #budgets: Budgets;
  readonly #books: Books;
  readonly #plan: () => Plan | undefined;
  readonly #now: () => number;
  /** The highest threshold dealt with, by what it is of; what a restart forgets, the store knows. */
  readonly #ofBudget = new WeakMap<Tracked, number>();
  #ofTokens = { of: "", told: 0 };
  #ofCredit = { of: "", told: 0 };
  /** How often credit was added, what there was then, and what there was when it was last looked at. */
  #credit: { mark: number; baseNano: number; lastNano: number };
  #recent: NoticeInfo[] | undefined;
  #dueAt: number;

  constructor(
    store: NoticeStore,
    about: { budgets: Budgets; books: Books; plan: () => Plan | undefined; now: () => number },
  ) {
    this.#store = store;
    this.#budgets = about.budgets;
    this.#books = about.books;
    this.#plan = about.plan;
    this.#now = about.now;
    const mark = store.creditMark();
    // Every balance on disk was looked at in the transaction that wrote it.
    this.#credit = mark ? { ...mark, lastNano: about.books.state.balanceNano } : { mark: 0, baseNano: 0, lastNano: 0 };
    this.#dueAt = store.dueAt();
  }

  /** When there is something to deliver, in ms; never if there is not. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /** Whether `recent` need not be read from the disk. */
  get ready(): boolean {
    return this.#recent !== undefined;
  }

  /** Newest first. */
  get recent(): NoticeInfo[] {
    this.#recent ??= this.#store.newest(RECENT);
    return this.#recent;
  }

  /** Gives the notices that are due; in the transaction that writes what they are about. */
  write(): void {
    for (const tracked of this.#budgets.tracked()) this.#lookAtBudget(tracked);
    this.#lookAtTokens();
    this.#lookAtCredit();
  }

  /** Gives a notice if it was not given before. Call it in a transaction. */
  give(notice: Omit<NewNotice, "at">): void {
    if (this.#store.give({ ...notice, at: this.#now() })) this.changed();
  }

  /** What was kept ready is not so any more. */
  changed(): void {
    this.#recent = undefined;
    this.#dueAt = this.#store.dueAt();
  }

  #lookAtBudget(tracked: Tracked): void {
    const { budget, period, spentNano } = tracked;
    const told = this.#ofBudget.get(tracked) ?? 0;
    const reached = highest(spentNano, budget.nano_usd);
    if (reached <= told) return;
    this.#ofBudget.set(tracked, reached);
    const resets = period.end === null ? null : new Date(period.end).toISOString();
    for (const threshold of between(told, reached)) {
      this.give({
        once: `budget ${budget.id} ${period.start ?? "total"} ${budget.nano_usd} ${threshold}`,
        type: "budget.threshold",
        message: `${threshold} % of the ${budget.kind} budget "${budget.id}" of $${formatUsd(budget.nano_usd)} is spent${resets ? `; it begins anew at ${resets}` : ""}.`,
        data: {
          threshold,
          budget_id: budget.id,
          kind: budget.kind,
          key_id: budget.key_id ?? null,
          tool: budget.tool ?? null,
          period: budget.period,
          nano_usd: budget.nano_usd,
          spent_nano: spentNano,
          resets_at: resets,
        },
        endsAt: period.end,
      });
    }
  }

  #lookAtTokens(): void {
    const plan = this.#plan();
    if (!plan || plan.monthlyTokens === null) return;
    const { id, monthlyTokens } = plan;
    const { month, tokensUsed } = this.#books.state;
    const of = `${month} ${monthlyTokens}`;
    const told = this.#ofTokens.of === of ? this.#ofTokens.told : 0;
    const reached = highest(tokensUsed, monthlyTokens);
    if (reached <= told) return;
    this.#ofTokens = { of, told: reached };
    const resets = monthEnd(month);
    for (const threshold of between(told, reached)) {
      this.give({
        once: `plan_tokens ${of} ${threshold}`,
        type: "plan_tokens.threshold",
        message: `${threshold} % of the ${monthlyTokens} tokens a month of the plan "${id}" are used; they begin anew at ${resets}.`,
        data: { threshold, plan: id, tokens: monthlyTokens, used: tokensUsed, resets_at: resets },
        endsAt: Date.parse(resets),
      });
    }
  }

  #lookAtCredit(): void {
    const balance = this.#books.state.balanceNano;
    const before = this.#credit;
    if (balance === before.lastNano) return;
    const added = balance > before.lastNano;
    this.#credit = added
      ? { mark: before.mark + 1, baseNano: balance, lastNano: balance }
      : { ...before, lastNano: balance };
    const { mark, baseNano } = this.#credit;
    if (added) this.#store.putCreditMark(mark, baseNano);
    const of = String(mark);
    const told = this.#ofCredit.of === of ? this.#ofCredit.told : 0;
    const reached = highest(baseNano - balance, baseNano);
    if (reached <= told) return;
    this.#ofCredit = { of, told: reached };
    for (const threshold of between(told, reached)) {
      this.give({
        once: `credit ${mark} ${threshold}`,
        type: "credit.threshold",
        message: `${threshold} % of the prepaid credit of $${formatUsd(baseNano)} is used; $${formatUsd(balance)} is left.`,
        data: { threshold, credit_nano: baseNano, left_nano: balance },
        endsAt: null,
      });
    }
  }
}

/** The highest threshold that a part of a whole has reached, 0 for none. Of nothing, none is. */
function highest(part: number, whole: number): Threshold | 0 {
  if (whole <= 0 || part * 2 < whole) return 0;
  return THRESHOLDS.findLast((percent) => BigInt(part) * 100n >= BigInt(whole) * BigInt(percent)) ?? 0;
}

const between = (told: number, reached: number): Threshold[] =>
  THRESHOLDS.filter((threshold) => threshold > told && threshold <= reached);
