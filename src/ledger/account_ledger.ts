import { type ErrorCode, fail, ok, type Result } from "../errors.ts";
import { AccountPlan } from "./account_plan.ts";
import { Attempts, WAIT_MS } from "./attempts.ts";
import { acknowledgedHead, chainHead } from "./audit_chain_store.ts";
import { AutoTopUp } from "./auto_top_up.ts";
import { Books, type Hold } from "./books.ts";
import { BudgetManager } from "./budget_manager.ts";
import { BudgetStore } from "./budget_store.ts";
import type { BudgetState } from "./budget_types.ts";
import { Budgets } from "./budgets.ts";
import { monthEnd, monthOf } from "./calendar.ts";
import { settledFacts } from "./call_details.ts";
import { expiredCall, freeCall } from "./call_rows.ts";
import { CreditRows } from "./credit_rows.ts";
import { Credits } from "./credits.ts";
import { Ingestion } from "./ingest.ts";
import { Journal } from "./journal.ts";
import { KeyManager } from "./key_manager.ts";
import { identityOf, Keyring } from "./keyring.ts";
import { forPlan } from "./markup.ts";
import { totalInput, totalOutput, totalTokens } from "./money.ts";
import { NoticeStore } from "./notice_store.ts";
import { Notices } from "./notices.ts";
import { Outbox } from "./outbox.ts";
import { RateGate, toolLimits } from "./rate_gate.ts";
import { type AuditHeads, type LedgerBooks, ledgerBooks } from "./reconcile.ts";
import type { UsageAnswers, UsagePage, UsageQuery, UsageReads } from "./report_types.ts";
import { GROUPS_A_PAGE, Reports } from "./reports.ts";
import type { Account, OutboxRow, Store, StoredKey } from "./store.ts";
import type * as T from "./types.ts";
import { Webhooks } from "./webhooks.ts";

/** How long a call may stay open before its hold is given back. Longer than any call's deadline. */
export const LEASE_MS = 180_000;
/** A hold is found on disk at the latest this long after it was placed. */
const HOLD_JOURNAL_MS = 20;
/** Counters and calls that cost nothing are written at the latest this long after. */
const FREE_JOURNAL_MS = 1_000;

interface Surroundings {
  now: () => number;
  onBroken: (error: unknown) => void;
}

/** The awake ledger of one account: decides in memory, journals behind, answers for money only when it is on disk. */
export class AccountLedger {
  readonly keys: KeyManager;
  readonly budgets: BudgetManager;
  readonly webhooks: Webhooks;
  readonly notices: NoticeStore;
  readonly credits: Credits;
  readonly autoTopUp: AutoTopUp;
  readonly ingestion: Ingestion;
  readonly #creditRows: CreditRows;
  readonly #ring: Keyring;
  readonly #budgets: Budgets;
  readonly #notices: Notices;
  readonly #store: Store;
  readonly #storage: DurableObjectStorage;
  readonly #plan: AccountPlan;
  readonly #now: () => number;
  readonly #account: Account;
  readonly #books: Books;
  readonly #journal: Journal;
  readonly #attempts: Attempts;
  readonly #rates: RateGate;
  readonly #reports: Reports;
  readonly #outbox: Outbox;
  /** Settlements on their way to disk, so that a repeated settle finds the first. */
  readonly #ended = new Map<string, T.Settlement>();
  #pos: number;
  #monthEndsAt = 0;
  #alarmAt = Number.POSITIVE_INFINITY;

  constructor(store: Store, storage: DurableObjectStorage, plans: ReadonlyMap<string, T.Plan>, around: Surroundings) {
    this.#store = store;
    this.#storage = storage;
    this.#now = around.now;
    this.#account = store.account();
    this.#plan = new AccountPlan(store, plans, this.#account);
    this.#books = new Books(store.books(), store.holds());
    this.#ring = new Keyring(store);
    this.#budgets = new Budgets(new BudgetStore(storage.sql), this.#ring, this.#books.holds, this.#now());
    this.notices = new NoticeStore(storage);
    const about = { budgets: this.#budgets, books: this.#books, plan: () => this.#plan.known, now: around.now };
    this.#notices = new Notices(this.notices, about);
    this.webhooks = new Webhooks(this.notices, this.#notices, this.#account.account, around.now);
    this.#attempts = new Attempts(store);
    this.#rates = new RateGate(store.windows());
    this.#reports = new Reports(store, monthOf(this.#now()));
    this.#journal = new Journal(store, storage, this.#books, {
      now: around.now,
      onWritten: (rows) => this.#onWritten(rows),
      alongside: () => {
        this.#budgets.write();
        this.#notices.write();
      },
      onBroken: around.onBroken,
    });
    this.keys = new KeyManager(this.#ring, this.#budgets, this.#journal);
    this.budgets = new BudgetManager(this.#budgets, this.#ring, this.#journal);
    this.#creditRows = new CreditRows(storage.sql);
    const money = { rows: this.#creditRows, books: this.#books, journal: this.#journal, now: around.now };
    this.credits = new Credits(money);
    this.autoTopUp = new AutoTopUp({ ...money, account: this.#account.account, credits: this.credits });
    this.ingestion = new Ingestion({ ...money, plan: () => this.#plan.current, book: (row) => this.#book(row) });
    this.#pos = store.outbox().pos;
    // Written first: what D1 is told must not be lost to a crash.
    const totals = (month: string) => {
      this.#journal.write();
      return this.#reports.totals(month);
    };
    const facts = { totals, plan: () => this.#account.plan };
    this.#outbox = new Outbox(store, this.#account.account, facts, this.#now());
    this.#wakeWhenDue();
  }

  identify(caller: T.Caller): T.IdentifyReply {
    const found = this.#ring.check(caller, this.#now());
    return "key" in found ? { kind: "identified", identity: identityOf(found.key, this.#account) } : found;
  }

  async admit(request: T.AdmitRequest): Promise<T.AdmitReply> {
    const giveUpAt = this.#now() + WAIT_MS;
    for (;;) {
      const decided = this.#decide(request);
      if (!("waitFor" in decided)) return decided;
      const left = giveUpAt - this.#now();
      if (left <= 0) return refuse("idempotency_in_progress", "The first call is still running.", { retry_after: 5 });
      await Promise.race([decided.waitFor, new Promise((resolve) => setTimeout(resolve, left))]);
    }
  }

  /** One synchronous decision: either everything about the call is counted and held, or nothing is. */
  #decide(request: T.AdmitRequest): T.AdmitReply | { waitFor: Promise<void> } {
    const now = this.#now();
    this.#turnMonth();
    const found = this.#ring.check(request.caller, now);
    if (!("key" in found)) return found;
    const { key } = found;
    if ("verified" in request.caller) this.#plan.hear(request.caller.verified.plan, now);
    const identity = identityOf(key, this.#account);
    if (request.scope !== null && !key.scopes.includes(request.scope)) {
      return refuse("insufficient_scope", `\`${request.tool}\` needs the scope \`${request.scope}\`.`, {
        required_scope: request.scope,
        granted_scopes: key.scopes,
      });
    }
    const plan = this.#plan.current;
    const bounds = [...this.#ring.chainOf(key), ...toolLimits(plan, request.tool)];
    if (request.idempotency) {
      const attempt = this.#attempts.look(attemptKey(key, request), request.idempotency.inputHash, now);
      if (attempt.state === "running") return { waitFor: attempt.done };
      if (attempt.state === "conflict") {
        return refuse("idempotency_conflict", "This idempotency key came with another input before.");
      }
      if (attempt.state === "replay") {
        const { callId, result, costNano, settlement } = attempt.stored;
        return {
          kind: "replay",
          identity,
          windows: this.#rates.measure(now, plan.rate, bounds),
          callId,
          result,
          costNano,
          ...(settlement ? { settlement } : {}),
        };
      }
    }
    const limited = this.#rates.refusal(now, plan.rate, bounds);
    if (limited) return limited;
    let granted: number | undefined;
    if (request.hold) {
      const held = this.#hold(request, key.id, forPlan(request.hold, plan.id), now);
      if (!held.ok) return refuse(held.code, held.detail, held.extras);
      granted = held.value;
    }
    if (request.idempotency) {
      const { inputHash } = request.idempotency;
      this.#attempts.begin(attemptKey(key, request), inputHash, request.callId, now + LEASE_MS);
    }
    const windows = this.#rates.take(now, plan.rate, bounds, this.#journal);
    this.#ring.touch(key, request.caller, now, this.#journal);
    if (!request.metered) this.#book(freeCall(request, { keyId: key.id, user: key.user }, now));
    this.#journal.within(FREE_JOURNAL_MS);
    return {
      kind: "admitted",
      identity,
      windows,
      ...(granted === undefined ? {} : { grantedOutputTokens: granted }),
      ...(request.reads ? this.#answer(request.reads, plan, windows) : {}),
    };
  }

  /** Holds the worst case of a call that knew it only after it was admitted. */
  reserve(request: T.ReserveRequest): Result<{ grantedOutputTokens: number }> {
    if (this.#books.holds.has(request.callId)) return fail("conflict", "The call holds money already.");
    this.#turnMonth();
    const held = this.#hold(request, request.keyId, request.hold, this.#now());
    return held.ok ? ok({ grantedOutputTokens: held.value }) : held;
  }

  #hold(call: T.CallFacts, keyId: string, hold: T.HoldRequest, now: number): Result<number> {
    const { callId, tool } = call;
    const within = this.#budgets.cut(keyId, tool, hold);
    if (!within.ok) return within;
    const placed = this.#books.place(
      { callId, keyId, tool, expiresAt: now + LEASE_MS },
      within.value,
      this.#plan.current.monthlyTokens,
    );
    if (!placed) return this.#cannotPay();
    this.#journal.post([placed.entry], now);
    this.#journal.within(HOLD_JOURNAL_MS);
    this.#wakeBy(placed.hold.expiresAt);
    return ok(placed.hold.grantedOutputTokens);
  }

  #cannotPay(): Result<never> {
    const { monthlyTokens } = this.#plan.current;
    return fail("payment_required", "Neither the plan's tokens nor the prepaid credit cover this call.", {
      tokens_remaining: monthlyTokens === null ? null : this.#books.remainingTokens(monthlyTokens),
      credit_available_nano: this.#books.availableNano,
    });
  }

  /** Ends a call: bills it, or gives its hold back. Repeating it returns what the first one posted. */
  async settle(ended: T.SettleRequest): Promise<Result<T.Settlement>> {
    const now = this.#now();
    const request = this.#chargedOnce(ended, now);
    this.#turnMonth();
    const before = this.#ended.get(request.callId) ?? this.#endedOnDisk(request);
    if (before) {
      await this.#journal.durable();
      return ok(before);
    }
    const counted = this.#countedAs(request, now);
    const settlement = this.#post(request, now);
    this.#record(request, settlement, now, counted);
    if (request.idempotency) this.#endAttempt(request, settlement, now);
    const mustLast = request.hold !== undefined || request.idempotency !== undefined;
    if (mustLast) await this.#journal.durable();
    else this.#journal.within(FREE_JOURNAL_MS);
    if (request.idempotency) this.#attempts.written(`${request.keyId} ${request.idempotency.key}`);
    return ok(settlement);
  }

  /**
   * Two calls ran with one idempotency key, because a restart forgot the first or its lease had ended: the first to end is
   * charged and its answer kept, the other gives its hold back.
   */
  #chargedOnce(request: T.SettleRequest, now: number): T.SettleRequest {
    if (!request.idempotency) return request;
    const kept = this.#attempts.kept(`${request.keyId} ${request.idempotency.key}`, now);
    if (!kept || kept.callId === request.callId) return request;
    const { usage: _usage, result: _result, ...uncharged } = request;
    return uncharged;
  }

  #post(request: T.SettleRequest, now: number): T.Settlement {
    const hold = this.#books.holds.get(request.callId);
    if (!request.usage || !request.hold) {
      if (hold) this.#journal.post(this.#books.release(hold, "void"), now);
      return this.#settlement(request.callId, { costNano: 0, creditNano: 0, funding: null, priceVersion: null });
    }
    const posting = this.#books.settle(hold ?? this.#lostHold(request, request.hold), request.usage);
    Object.assign(posting.entries[0]?.detail ?? {}, { call: settledFacts(request, now) });
    this.#journal.post(posting.entries, now);
    const priceVersion = (hold?.request ?? request.hold).price.version ?? null;
    return this.#settlement(request.callId, { ...posting, priceVersion });
  }

  #settlement(callId: string, posted: Omit<T.Settlement, "balanceNano" | "left">): T.Settlement {
    const { costNano, creditNano, funding, priceVersion } = posted;
    const { balanceNano } = this.#books.state;
    const left = this.#reports.left({ plan: this.#plan.current, books: this.#books });
    const settlement = { costNano, creditNano, funding, balanceNano, priceVersion, left };
    this.#ended.set(callId, settlement);
    if (this.#ended.size > 2_000) this.#ended.delete(this.#ended.keys().next().value as string);
    return settlement;
  }

  /** A hold that expired or died with the object before it was journalled: the work was done, so it is billed all the same. */
  #lostHold(request: T.SettleRequest, hold: T.HoldRequest): Hold {
    const { callId, keyId, tool } = request;
    const tokens = request.usage ? totalTokens(request.usage) : 0;
    const included = this.#books.remainingTokens(this.#plan.current.monthlyTokens) >= tokens;
    return {
      callId,
      keyId,
      tool,
      request: hold,
      funding: included ? "included" : "credit",
      nano: 0,
      tokens: 0,
      grantedOutputTokens: hold.maxOutputTokens,
      expiresAt: 0,
    };
  }

  #endedOnDisk(request: T.SettleRequest): T.Settlement | undefined {
    if (!request.hold || this.#books.holds.has(request.callId)) return undefined;
    const entry = this.#store.ended(request.callId);
    if (!entry) return undefined;
    const { funding, price } = JSON.parse(entry.detail) as { funding?: T.Funding; price?: { version?: string } };
    return {
      costNano: entry.cost_nano,
      creditNano: -entry.credit_nano,
      funding: funding ?? null,
      balanceNano: this.#books.state.balanceNano,
      priceVersion: price?.version ?? null,
      left: this.#reports.left({ plan: this.#plan.current, books: this.#books }),
    };
  }

  /** How the call was counted until now: a free one when it was admitted, an expired one when its lease ended. */
  #countedAs(request: T.SettleRequest, now: number): OutboxRow | undefined {
    const pending = this.#journal.pendingCall(request.callId) ?? this.#reports.recentCall(request.callId);
    if (pending) return pending;
    // A restart may have forgotten that a free call was booked, or the disk may never have had it.
    if (!request.metered) return this.#store.usage.callBegunAt(request.callId, now - request.durationMs);
    if (!request.hold || this.#books.holds.has(request.callId)) return undefined;
    const expiredAt = this.#store.expiredAt(request.callId);
    return expiredAt === undefined ? undefined : expiredCall(request, request.hold.model, expiredAt);
  }

  /** Writes or amends the call's line in the usage records. */
  #record(request: T.SettleRequest, settlement: T.Settlement, now: number, known: OutboxRow | undefined): void {
    this.#book(
      {
        id: request.callId,
        pos: 0,
        at: known?.at ?? new Date(now - request.durationMs).toISOString(),
        tool: request.tool,
        model: request.model ?? null,
        key_id: request.keyId,
        user: request.user,
        via: request.via,
        client: request.client ?? null,
        session_id: request.session ?? null,
        input_tokens: request.usage ? totalInput(request.usage) : 0,
        output_tokens: request.usage ? totalOutput(request.usage) : 0,
        cost_nano: settlement.costNano,
        credit_nano: settlement.creditNano,
        status: request.error ?? "ok",
        estimated: request.estimated ?? false,
        duration_ms: request.durationMs,
      },
      known,
    );
  }

  #endAttempt(request: T.SettleRequest, settlement: T.Settlement, now: number): void {
    const { idempotency, callId, result } = request;
    if (!idempotency) return;
    const kept =
      request.error || result === undefined
        ? null
        : { inputHash: idempotency.inputHash, callId, result, costNano: settlement.costNano, settlement };
    this.#attempts.end(`${request.keyId} ${idempotency.key}`, callId, kept, now, this.#journal);
  }

  #book(row: OutboxRow, before?: OutboxRow): void {
    const placed = { ...row, pos: ++this.#pos };
    this.#journal.putCall(placed);
    for (const change of this.#reports.add(placed, before)) {
      this.#journal.tally(change);
      this.#budgets.add(change, placed.at);
    }
  }

  /** As `AccountPlan.set`. */
  setPlan(plan: string, asOf?: number): Result<{ plan: string }> {
    return this.#plan.set(plan, asOf, this.#now());
  }

  /** Shuts a user out, whatever credential they come with, from the next call on. */
  blockUser(user: string): Result<{ blocked: boolean }> {
    this.#ring.block(user, this.#now());
    return ok({ blocked: true });
  }

  unblockUser(user: string): Result<{ blocked: boolean }> {
    this.#ring.unblock(user);
    return ok({ blocked: false });
  }

  /** Adds prepaid credit, once per `id`. */
  credit(id: string, nano: number, note: string, keyId: string): Promise<Result<T.CreditMoved>> {
    return this.credits.move({ kind: "credit", id, nano, note, keyId });
  }

  /** What there is to spend, and what moved it lately. */
  balance(recent: number): T.Balance {
    this.#turnMonth();
    const { monthlyTokens } = this.#plan.current;
    return {
      balance_nano: this.#books.state.balanceNano,
      reserved_nano: this.#books.reservedNano,
      available_nano: this.#books.availableNano,
      tokens: {
        included: monthlyTokens,
        remaining: monthlyTokens === null ? null : this.#books.remainingTokens(monthlyTokens),
        resets_at: monthEnd(this.#books.state.month),
      },
      auto_top_up: this.autoTopUp.view(),
      entries: this.#creditRows.newest(recent),
    };
  }

  /** The budgets as they stand now. */
  listBudgets(): BudgetState[] {
    this.#turnMonth();
    return this.budgets.list();
  }

  /** Has the alarm look again, after what moved money without a call. */
  lookAgain(): void {
    this.#wakeWhenDue();
  }

  async audit(): Promise<Result<T.LedgerAudit>> {
    await this.#journal.durable();
    // What was decided while that was synced, so that memory and tables are of the same moment.
    this.#journal.write();
    const sums = this.#store.sums();
    const { balanceNano, settledCostNano } = this.#books.state;
    const reserved = this.#books.reservedNano;
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
    await this.#outbox.drain(db, this.#now);
    this.#journal.write();
    return ledgerBooks(this.#storage.sql, this.#outbox.mark, months);
  }

  /** As `LedgerBooks.mark`. */
  get copyMark(): string | null {
    return this.#outbox.mark;
  }

  /** Where the audit log stands. */
  async auditHeads(): Promise<AuditHeads> {
    await this.#journal.durable();
    const { sql } = this.#storage;
    return { head: chainHead(sql), acknowledged: acknowledgedHead(sql) };
  }

  /** Gives back expired holds, copies calls to D1, and asks to be woken when there is more. */
  async onAlarm(db: D1Database): Promise<void> {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    this.#turnMonth();
    this.#attempts.sweep(this.#now());
    if (this.#expireHolds()) await this.#journal.durable();
    if (this.#outbox.dueAt(this.#now()) <= this.#now()) await this.#outbox.drain(db, this.#now);
    this.#wakeWhenDue();
  }

  #expireHolds(): boolean {
    const now = this.#now();
    const expired = [...this.#books.holds.values()].filter((open) => open.expiresAt <= now);
    for (const hold of expired) {
      this.#journal.post(this.#books.release(hold, "expire"), now);
      this.#book(expiredCall(hold, hold.request.model, now));
    }
    return expired.length > 0;
  }

  #onWritten(rows: readonly OutboxRow[]): void {
    this.#outbox.added(rows, this.#now());
    this.#wakeWhenDue();
  }

  #wakeWhenDue(): void {
    this.#wakeBy(this.#outbox.dueAt(this.#now()));
    this.#wakeBy(this.autoTopUp.dueAt());
    this.#wakeBy(this.#notices.dueAt);
    for (const hold of this.#books.holds.values()) this.#wakeBy(hold.expiresAt);
  }

  #wakeBy(at: number): void {
    if (at >= this.#alarmAt) return;
    this.#alarmAt = at;
    this.#storage.setAlarm(at);
  }

  #answer(reads: UsageReads, plan: T.Plan, windows: T.WindowState[]): UsageAnswers {
    const write = () => this.#journal.write();
    const notices = () => this.#notices.recent;
    return this.#reports.answer(reads, { plan, windows, books: this.#books, now: this.#now(), notices, write });
  }

  /** A page of usage groups, beginning after the group named `after`. */
  usagePage(query: UsageQuery, after: readonly string[] | null): Result<UsagePage> {
    this.#journal.write();
    return ok(this.#store.usage.page(query, after, GROUPS_A_PAGE));
  }

  #turnMonth(): void {
    const now = this.#now();
    if (now >= this.#budgets.turnsAt) {
      // What crossed a threshold in the period that ends is noticed in it.
      this.#journal.write();
      this.#budgets.turn(now);
    }
    if (now < this.#monthEndsAt) return;
    if (this.#monthEndsAt > 0) this.#journal.write();
    const month = monthOf(now);
    this.#monthEndsAt = Date.parse(monthEnd(month));
    this.#books.turnMonth(month);
    this.#journal.write();
    this.#reports.turnMonth(month);
  }
}

const refuse = (code: ErrorCode, detail: string, extras?: T.Refusal["extras"]): T.Refusal => ({
  kind: "refused",
  code,
  detail,
  ...(extras ? { extras } : {}),
});

/** A key sees only its own attempts: another key of the account may have other scopes. */
const attemptKey = (key: StoredKey, request: T.AdmitRequest): string => `${key.id} ${request.idempotency?.key}`;
