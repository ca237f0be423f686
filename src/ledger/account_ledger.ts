import { ok, type Result } from "../errors.ts";
import { AccountPlan } from "./account_plan.ts";
import { Admission } from "./admission.ts";
import { AlarmClock } from "./alarm_clock.ts";
import { Attempts } from "./attempts.ts";
import { Authority } from "./authority.ts";
import { AutoTopUp } from "./auto_top_up.ts";
import { Books } from "./books.ts";
import { BudgetManager } from "./budget_manager.ts";
import { BudgetStore } from "./budget_store.ts";
import type { BudgetState } from "./budget_types.ts";
import { Budgets } from "./budgets.ts";
import { monthEnd, monthOf } from "./calendar.ts";
import { CallBook } from "./call_book.ts";
import { CreditRows } from "./credit_rows.ts";
import { Credits } from "./credits.ts";
import { Ingestion } from "./ingest.ts";
import { Journal } from "./journal.ts";
import { KeyManager } from "./key_manager.ts";
import { Keyring } from "./keyring.ts";
import type { LedgerParts } from "./ledger_parts.ts";
import { NoticeStore } from "./notice_store.ts";
import { Notices } from "./notices.ts";
import { Outbox } from "./outbox.ts";
import { PeriodTurn } from "./period_turn.ts";
import { RateGate } from "./rate_gate.ts";
import type { AuditHeads, LedgerBooks } from "./reconcile.ts";
import { recover } from "./redo.ts";
import type { UsagePage, UsageQuery } from "./report_types.ts";
import { GROUPS_A_PAGE, Reports } from "./reports.ts";
import { SelfCheck } from "./self_check.ts";
import { Settling } from "./settlement.ts";
import type { Store } from "./store.ts";
import { Turn } from "./turn.ts";
import type * as T from "./types.ts";
import { Upkeep } from "./upkeep.ts";
import { Webhooks } from "./webhooks.ts";

/** An object that ended with calls in its log wakes at the latest so long after. */
const LOGGED_MS = 60_000;

interface Surroundings {
  now: () => number;
  onBroken: (error: unknown) => void;
}

/** The awake ledger of one account: decides in memory, journals behind, answers for money only when it is on disk. */
export class AccountLedger {
  readonly authority: Pick<Authority, "bars">;
  readonly keys: KeyManager;
  readonly budgets: BudgetManager;
  readonly webhooks: Webhooks;
  readonly notices: NoticeStore;
  readonly credits: Credits;
  readonly autoTopUp: AutoTopUp;
  readonly ingestion: Ingestion;
  readonly #parts: LedgerParts;
  readonly #admission: Admission;
  readonly #settling: Settling;
  readonly #upkeep: Upkeep;
  readonly #checks: SelfCheck;
  readonly #creditRows: CreditRows;

  constructor(store: Store, storage: DurableObjectStorage, plans: ReadonlyMap<string, T.Plan>, around: Surroundings) {
    const { now } = around;
    const budgetStore = new BudgetStore(storage.sql);
    recover(store, budgetStore);
    const turn = new Turn();
    const account = store.account();
    const plan = new AccountPlan(store, plans, account);
    const books = new Books(store.books(), store.holds());
    const ring = new Keyring(store);
    const budgets = new Budgets(budgetStore, ring, books.holds, now());
    this.notices = new NoticeStore(storage);
    const notices = new Notices(this.notices, { budgets, books, plan: () => plan.known, now });
    const authority = new Authority(ring, budgets);
    this.authority = authority;
    this.webhooks = new Webhooks(this.notices, notices, authority, { account: account.account, now });
    const reports = new Reports(store, monthOf(now()));
    const journal = new Journal(store, books, {
      now,
      turn,
      onWritten: (rows) => {
        if (rows.length > 0) outbox.added(rows, now());
        this.#upkeep.wakeWhenDue();
      },
      // What is logged is copied when it is in the tables, and an object that ended before that puts it there when it wakes.
      onLogged: () => {
        alarm.by(now() + LOGGED_MS);
        this.#upkeep.wakeWhenDue();
      },
      alongside: {
        isDue: () => notices.isDue,
        write: () => {
          budgets.write();
          return notices.write();
        },
      },
      onBroken: around.onBroken,
    });
    const calls = new CallBook(store.outbox().pos, { journal, reports, budgets });
    const periods = new PeriodTurn({ books, budgets, journal, reports, now });
    const attempts = new Attempts(store);
    const rates = new RateGate(store.windows());
    const alarm = new AlarmClock(storage, turn);
    this.#parts = {
      ...{ store, account, plan, books, ring, budgets, journal },
      ...{ attempts, rates, reports, calls, periods, alarm, turn, now },
    };
    this.keys = new KeyManager(ring, budgets, authority, journal);
    this.budgets = new BudgetManager(budgets, ring, authority, journal);
    this.#creditRows = new CreditRows(storage.sql);
    const money = { rows: this.#creditRows, books, journal, now };
    this.credits = new Credits(money);
    this.autoTopUp = new AutoTopUp({ ...money, account: account.account, credits: this.credits });
    this.ingestion = new Ingestion({ ...money, plan, book: (row) => calls.put(row) });
    // Written first: what D1 is told must not be lost to a crash.
    const totals = (month: string) => {
      journal.write();
      return reports.totals(month);
    };
    const outbox = new Outbox(store, account.account, { totals, plan: () => account.plan }, now());
    this.#admission = new Admission(this.#parts, notices);
    this.#settling = new Settling(this.#parts);
    this.#upkeep = new Upkeep(this.#parts, { outbox, notices, autoTopUp: this.autoTopUp });
    this.#checks = new SelfCheck(this.#parts, outbox, storage.sql);
    this.#upkeep.wakeWhenDue();
  }

  /** As `Admission.identify`. */
  identify(caller: T.Caller): T.IdentifyReply {
    return this.#admission.identify(caller);
  }

  /** As `Admission.admit`. */
  admit(request: T.AdmitRequest): Promise<T.AdmitReply> {
    return this.#admission.admit(request);
  }

  /** As `Admission.admitFromElsewhere`. */
  admitFromElsewhere(request: T.AdmitRequest): T.AdmitReply | undefined {
    return this.#admission.admitFromElsewhere(request);
  }

  /** As `Admission.reserveFromElsewhere`. */
  reserveFromElsewhere(request: T.ReserveRequest): Result<{ grantedOutputTokens: number }> | undefined {
    return this.#admission.reserveFromElsewhere(request);
  }

  /** Sees to what was decided elsewhere, and to what would keep more from being decided there. Only in the object's own turn. */
  tend(): void {
    const { turn, alarm, journal, periods } = this.#parts;
    periods.turn();
    if (turn.due === Number.POSITIVE_INFINITY) return;
    turn.taken();
    alarm.tend();
    journal.tend();
  }

  /** Writes everything that was decided, whenever it is due. */
  flush(): void {
    this.#parts.journal.write(true);
  }

  get turn(): Pick<Turn, "due"> {
    return this.#parts.turn;
  }

  /** As `Admission.reserve`. */
  reserve(request: T.ReserveRequest): Result<{ grantedOutputTokens: number }> {
    return this.#admission.reserve(request);
  }

  /** As `Settling.settle`. */
  settle(request: T.SettleRequest): Promise<Result<T.Ended>> {
    return this.#settling.settle(request);
  }

  /** As `Settling.settleFromElsewhere`. */
  settleFromElsewhere(request: T.SettleRequest): T.Settlement | undefined {
    return this.#settling.settleFromElsewhere(request);
  }

  /** Writes what calls that ended elsewhere must have on disk. As `Journal.together`. */
  keep(): Promise<void> | undefined {
    const { journal, books } = this.#parts;
    return journal.together(books.holds.size);
  }

  /** As `Upkeep.onAlarm`. */
  onAlarm(db: D1Database): Promise<void> {
    return this.#upkeep.onAlarm(db);
  }

  /** Has the alarm look again, after what moved money without a call. */
  lookAgain(): void {
    this.#upkeep.wakeWhenDue();
  }

  /** As `SelfCheck.audit`. */
  audit(): Promise<Result<T.LedgerAudit>> {
    return this.#checks.audit();
  }

  /** As `SelfCheck.reconciliation`. */
  reconciliation(db: D1Database, months: readonly string[]): Promise<LedgerBooks> {
    return this.#checks.reconciliation(db, months);
  }

  /** As `LedgerBooks.mark`. */
  get copyMark(): string | null {
    return this.#checks.copyMark;
  }

  /** As `SelfCheck.auditHeads`. */
  auditHeads(): Promise<AuditHeads> {
    return this.#checks.auditHeads();
  }

  /** As `AccountPlan.set`. */
  setPlan(plan: string, asOf?: number): Result<{ plan: string }> {
    return this.#parts.plan.set(plan, asOf, this.#parts.now());
  }

  /**
   * Sets or (null) removes the model that `auto` takes for this account, from the next call on. Fails with `exceeds_own_key`:
   * it decides what everybody's calls cost.
   */
  prefer(model: string | null, by?: T.KeyAuthor): Result<{ model: string | null }> {
    const barred = this.authority.bars(by, "choose the account's model");
    if (barred) return barred;
    this.#parts.store.setPreferred(model);
    this.#parts.account.prefers = model;
    return ok({ model });
  }

  /** Shuts a user out, whatever credential they come with, from the next call on. */
  blockUser(user: string): Result<{ blocked: boolean }> {
    this.#parts.ring.block(user, this.#parts.now());
    return ok({ blocked: true });
  }

  unblockUser(user: string): Result<{ blocked: boolean }> {
    this.#parts.ring.unblock(user);
    return ok({ blocked: false });
  }

  /** Adds prepaid credit, once per `id`. As `Credits.order`. */
  credit(id: string, nano: number, note: string, keyId: string): Promise<Result<T.CreditMoved>> {
    return this.credits.order({ kind: "credit", id, nano, note, keyId });
  }

  /**
   * Sets or (null) removes the rule by which credit is bought. Fails with `exceeds_own_key`: a bound would bound nothing
   * if who is held by it could have the owner's card charged.
   */
  setAutoTopUp(rule: T.AutoTopUpRule | null, by?: T.KeyAuthor): Result<T.AutoTopUpView> {
    const barred = this.authority.bars(by, "have credit bought");
    if (barred) return barred;
    this.autoTopUp.set(rule);
    this.lookAgain();
    return ok(this.autoTopUp.view());
  }

  /** What there is to spend, and what moved it lately. A plan that is configured no more covers nothing. */
  balance(recent: number): T.Balance {
    const { periods, plan, books } = this.#parts;
    periods.turn();
    const { monthlyTokens } = plan;
    return {
      balance_nano: books.state.balanceNano,
      reserved_nano: books.reservedNano,
      available_nano: books.availableNano,
      tokens: {
        included: monthlyTokens,
        remaining: monthlyTokens === null ? null : books.remainingTokens(monthlyTokens),
        resets_at: monthEnd(books.state.month),
      },
      auto_top_up: this.autoTopUp.view(),
      entries: this.#creditRows.newest(recent),
    };
  }

  /** The budgets as they stand now. */
  listBudgets(): BudgetState[] {
    this.#parts.periods.turn();
    return this.budgets.list();
  }

  /** A page of usage groups, beginning after the group named `after`. */
  usagePage(query: UsageQuery, after: readonly string[] | null): Result<UsagePage> {
    this.#parts.journal.write();
    return ok(this.#parts.store.usage.page(query, after, GROUPS_A_PAGE));
  }
}
