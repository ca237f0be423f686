import { type ErrorCode, fail, ok, type Result } from "../errors.ts";
import { AccountPlan } from "./account_plan.ts";
import { Attempts, WAIT_MS } from "./attempts.ts";
import { Books, type Hold } from "./books.ts";
import { monthEnd, monthOf } from "./calendar.ts";
import { expiredCall, freeCall } from "./call_rows.ts";
import { Journal } from "./journal.ts";
import { KeyBudgets } from "./key_budgets.ts";
import { KeyManager } from "./key_manager.ts";
import { identityOf, Keyring } from "./keyring.ts";
import { totalTokens } from "./money.ts";
import { Outbox } from "./outbox.ts";
import { RateGate } from "./rate_gate.ts";
import { Reports } from "./reports.ts";
import type { Account, OutboxRow, Store, StoredKey } from "./store.ts";
import type * as T from "./types.ts";

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
  readonly #ring: Keyring;
  readonly #budgets: KeyBudgets;
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
  /** Credits on their way to disk. */
  readonly #credits = new Set<string>();
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
    this.#budgets = new KeyBudgets(store, this.#ring, this.#books.holds, monthOf(this.#now()));
    this.#attempts = new Attempts(store);
    this.#rates = new RateGate(store.windows());
    this.#reports = new Reports(store, monthOf(this.#now()));
    this.#journal = new Journal(store, storage, this.#books, {
      now: around.now,
      onWritten: (rows) => this.#onWritten(rows),
      onBroken: around.onBroken,
    });
    this.keys = new KeyManager(this.#ring, this.#budgets, this.#journal);
    this.#pos = store.outbox().pos;
    const facts = { totals: (month: string) => this.#reports.totals(month), plan: () => this.#account.plan };
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
    const bounds = this.#ring.chainOf(key);
    if (request.idempotency) {
      const attempt = this.#attempts.look(attemptKey(key, request), request.idempotency.inputHash, now);
      if (attempt.state === "running") return { waitFor: attempt.done };
      if (attempt.state === "conflict") {
        return refuse("idempotency_conflict", "This idempotency key came with another input before.");
      }
      if (attempt.state === "replay") {
        const { callId, result, costNano } = attempt.stored;
        return {
          kind: "replay",
          identity,
          windows: this.#rates.measure(now, plan.rate, bounds),
          callId,
          result,
          costNano,
        };
      }
    }
    const limited = this.#rates.refusal(now, plan.rate, bounds);
    if (limited) return limited;
    let granted: number | undefined;
    if (request.hold) {
      const held = this.#hold(request, key.id, request.hold, now);
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
      ...(request.reads ? { usage: this.#report(request.reads, plan, windows) } : {}),
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
    const within = this.#budgets.cut(keyId, hold);
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
  async settle(request: T.SettleRequest): Promise<Result<T.Settlement>> {
    const now = this.#now();
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

  #post(request: T.SettleRequest, now: number): T.Settlement {
    const hold = this.#books.holds.get(request.callId);
    if (!request.usage || !request.hold) {
      if (hold) this.#journal.post(this.#books.release(hold, "void"), now);
      return this.#settlement(request.callId, { costNano: 0, creditNano: 0, funding: null });
    }
    const posting = this.#books.settle(hold ?? this.#lostHold(request, request.hold), request.usage);
    this.#journal.post(posting.entries, now);
    return this.#settlement(request.callId, posting);
  }

  #settlement(callId: string, posted: Pick<T.Settlement, "costNano" | "creditNano" | "funding">): T.Settlement {
    const { costNano, creditNano, funding } = posted;
    const settlement = { costNano, creditNano, funding, balanceNano: this.#books.state.balanceNano };
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
    const { funding } = JSON.parse(entry.detail) as { funding?: T.Funding };
    return {
      costNano: entry.cost_nano,
      creditNano: -entry.credit_nano,
      funding: funding ?? null,
      balanceNano: this.#books.state.balanceNano,
    };
  }

  /** How the call was counted until now: a free one when it was admitted, an expired one when its lease ended. */
  #countedAs(request: T.SettleRequest, now: number): OutboxRow | undefined {
    const pending = this.#journal.pendingCall(request.callId);
    if (pending) return pending;
    if (!request.metered) return freeCall(request, request, now - request.durationMs);
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
        input_tokens: request.usage ? totalTokens(request.usage) - request.usage.output : 0,
        output_tokens: request.usage?.output ?? 0,
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
        : { inputHash: idempotency.inputHash, callId, result, costNano: settlement.costNano };
    this.#attempts.end(`${request.keyId} ${idempotency.key}`, callId, kept, now, this.#journal);
  }

  #book(row: OutboxRow, before?: OutboxRow): void {
    const placed = { ...row, pos: ++this.#pos };
    this.#journal.putCall(placed);
    for (const change of this.#reports.add(placed, before)) {
      this.#journal.tally(change);
      this.#budgets.add(change);
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
  async credit(id: string, nano: number, note: string, keyId: string): Promise<Result<{ balanceNano: number }>> {
    if (!Number.isSafeInteger(nano) || nano <= 0)
      return fail("invalid_input", "Credit is a positive whole number of nano-USD.");
    if (!this.#credits.has(id) && !this.#store.credited(id)) {
      this.#credits.add(id);
      this.#journal.post([this.#books.credit(id, keyId, nano, note)], this.#now());
    }
    await this.#journal.durable();
    this.#credits.delete(id);
    return ok({ balanceNano: this.#books.state.balanceNano });
  }

  async audit(): Promise<Result<T.LedgerAudit>> {
    await this.#journal.durable();
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
    for (const hold of this.#books.holds.values()) this.#wakeBy(hold.expiresAt);
  }

  #wakeBy(at: number): void {
    if (at >= this.#alarmAt) return;
    this.#alarmAt = at;
    this.#storage.setAlarm(at);
  }

  #report(reads: { recent: number; month?: string }, plan: T.Plan, windows: T.WindowState[]): T.UsageReport {
    return this.#reports.report(reads, { plan, windows, books: this.#books });
  }

  #turnMonth(): void {
    const now = this.#now();
    if (now < this.#monthEndsAt) return;
    const month = monthOf(now);
    this.#monthEndsAt = Date.parse(monthEnd(month));
    this.#books.turnMonth(month);
    this.#reports.turnMonth(month);
    this.#budgets.turnMonth(month);
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
