import type { Books } from "./books.ts";
import { type NoticeInfo, THRESHOLDS, type Threshold } from "./budget_types.ts";
import type { Budgets, Tracked } from "./budgets.ts";
import type { NewNotice, NoticeStore } from "./notice_store.ts";
import { type Credit, type MonthTokens, ofBudget, ofCredit, ofTokens } from "./notice_words.ts";
import type { Plan } from "./types.ts";

/** Notices kept ready for a report. */
const RECENT = 10;

/**
 * Notices that half, four fifths or all of something is used: of a budget, of the plan's tokens of a month, of the prepaid
 * credit there was when credit was last added. Each is given once, in the transaction that writes what crossed the line; the
 * last also when calls begin to be refused, for what is left seldom is nothing.
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
  /** Budgets that have begun to refuse calls in their period, and those of which that is not given yet. */
  readonly #refusing = new WeakSet<Tracked>();
  #refusals: Tracked[] = [];
  /** The same of what pays: for want of what calls were refused last, and whether that is given. */
  #unpaid = { of: "", given: true };
  /** How often credit was added, what there was then, and what there was and had been moved when it was last looked at. */
  #credit: { mark: number; baseNano: number; lastNano: number; movedNano: number };
  #recent: NoticeInfo[] | undefined;
  #dueAt: number;
  #given = 0;

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
    // Every balance on disk was looked at before it was written.
    const { state, movedNano } = about.books;
    this.#credit = mark
      ? { ...mark, lastNano: state.balanceNano, movedNano }
      : { mark: 0, baseNano: 0, lastNano: 0, movedNano };
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

  /**
   * A hard budget refuses a call, and not because of what running calls hold: that is given as its 100 % with the next write.
   * False when it was noticed in this period before. Needs memory alone.
   */
  refusedBy(tracked: Tracked): boolean {
    if (this.#refusing.has(tracked)) return false;
    this.#refusing.add(tracked);
    this.#refusals.push(tracked);
    return true;
  }

  /** As `refusedBy`, for want of what pays: of credit where there was any, else of the plan's tokens. */
  refusedUnpaid(): boolean {
    const of = this.#credit.mark > 0 ? `credit ${this.#credit.mark}` : this.#tokens()?.of;
    if (of === undefined || of === this.#unpaid.of) return false;
    this.#unpaid = { of, given: false };
    return true;
  }

  /** Whether there are any to give. Needs memory alone. */
  get isDue(): boolean {
    if (this.#refusals.length > 0 || !this.#unpaid.given) return true;
    for (const tracked of this.#budgets.tracked()) {
      if (highest(tracked.spentNano, tracked.budget.nano_usd) > (this.#ofBudget.get(tracked) ?? 0)) return true;
    }
    const tokens = this.#tokens();
    if (tokens && highest(tokens.used, tokens.monthlyTokens) > this.#toldOfTokens(tokens.of)) return true;
    const { baseNano, lastNano, movedNano } = this.#credit;
    const { balanceNano } = this.#books.state;
    if (balanceNano === lastNano) return false;
    return movedNano !== this.#books.movedNano || highest(baseNano - balanceNano, baseNano) > this.#toldOfCredit();
  }

  /** Gives the notices that are due, in the transaction that writes what they are about. Whether there were any. */
  write(): boolean {
    const before = this.#given;
    for (const tracked of this.#budgets.tracked()) this.#lookAtBudget(tracked);
    this.#lookAtTokens();
    this.#lookAtCredit();
    this.#giveRefusals();
    return this.#given > before;
  }

  /** Gives a notice if it was not given before. Call it in a transaction. */
  give(notice: Omit<NewNotice, "at">): void {
    if (!this.#store.give({ ...notice, at: this.#now() })) return;
    this.#given++;
    this.changed();
  }

  /** What was kept ready is not so any more. */
  changed(): void {
    this.#recent = undefined;
    this.#dueAt = this.#store.dueAt();
  }

  #lookAtBudget(tracked: Tracked): void {
    const { budget, spentNano } = tracked;
    const told = this.#ofBudget.get(tracked) ?? 0;
    const reached = highest(spentNano, budget.nano_usd);
    if (reached > told) this.#ofBudget.set(tracked, reached);
    for (const threshold of between(told, reached)) this.give(ofBudget(tracked, threshold, "used"));
  }

  #lookAtTokens(): void {
    const tokens = this.#tokens();
    if (!tokens) return;
    const { of, monthlyTokens, used } = tokens;
    const told = this.#toldOfTokens(of);
    const reached = highest(used, monthlyTokens);
    if (reached > told) this.#ofTokens = { of, told: reached };
    for (const threshold of between(told, reached)) this.give(ofTokens(tokens, threshold, "used"));
  }

  #lookAtCredit(): void {
    const { movedNano } = this.#books;
    const { balanceNano: balance } = this.#books.state;
    const before = this.#credit;
    const moved = movedNano - before.movedNano;
    if (balance === before.lastNano && moved === 0) return;
    const added = moved > 0 || (before.mark === 0 && balance > before.lastNano);
    const now = { lastNano: balance, movedNano };
    // What was taken back was not used: there was that much less to use.
    this.#credit = added
      ? { mark: before.mark + 1, baseNano: balance, ...now }
      : { mark: before.mark, baseNano: before.baseNano + moved, ...now };
    if (this.#credit.mark > 0 && (added || moved !== 0))
      this.#store.putCreditMark(this.#credit.mark, this.#credit.baseNano);
    const credit = this.#creditNow();
    const told = this.#toldOfCredit();
    const reached = highest(credit.baseNano - balance, credit.baseNano);
    if (reached > told) this.#ofCredit = { of: credit.of, told: reached };
    for (const threshold of between(told, reached)) this.give(ofCredit(credit, threshold, "used"));
  }

  #giveRefusals(): void {
    for (const tracked of this.#refusals.splice(0)) this.give(ofBudget(tracked, 100, "refused"));
    if (this.#unpaid.given) return;
    this.#unpaid.given = true;
    const tokens = this.#tokens();
    if (this.#credit.mark > 0) this.give(ofCredit(this.#creditNow(), 100, "refused"));
    else if (tokens) this.give(ofTokens(tokens, 100, "refused"));
  }

  /** The plan's tokens as they stand; undefined when they are without limit, or there are none. */
  #tokens(): MonthTokens | undefined {
    const plan = this.#plan();
    if (!plan?.monthlyTokens) return undefined;
    const { id, monthlyTokens } = plan;
    const { month, tokensUsed: used } = this.#books.state;
    return { of: `${month} ${monthlyTokens}`, id, monthlyTokens, month, used };
  }

  #toldOfTokens(of: string): number {
    return this.#ofTokens.of === of ? this.#ofTokens.told : 0;
  }

  #toldOfCredit(): number {
    return this.#ofCredit.of === this.#creditNow().of ? this.#ofCredit.told : 0;
  }

  #creditNow(): Credit {
    const { mark, baseNano } = this.#credit;
    return { of: String(mark), baseNano, leftNano: this.#books.state.balanceNano };
  }
}

/** The highest threshold that a part of a whole has reached, 0 for none. Of nothing, none is. */
function highest(part: number, whole: number): Threshold | 0 {
  if (whole <= 0 || part * 2 < whole) return 0;
  return THRESHOLDS.findLast((percent) => BigInt(part) * 100n >= BigInt(whole) * BigInt(percent)) ?? 0;
}

const between = (told: number, reached: number): Threshold[] =>
  THRESHOLDS.filter((threshold) => threshold > told && threshold <= reached);
