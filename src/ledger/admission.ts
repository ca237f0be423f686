import { type ErrorCode, fail, ok, type Result } from "../errors.ts";
import { within } from "../time_limit.ts";
import { WAIT_MS } from "./attempts.ts";
import { freeCall } from "./call_rows.ts";
import { identityOf } from "./keyring.ts";
import { attemptKey, FREE_JOURNAL_MS, HOLD_JOURNAL_MS, LEASE_MS, type LedgerParts } from "./ledger_parts.ts";
import { forPlan } from "./markup.ts";
import type { Notices } from "./notices.ts";
import { toolLimits } from "./rate_gate.ts";
import type { UsageAnswers, UsageReads } from "./report_types.ts";
import { ofBudget, ofMoney } from "./shortage.ts";
import type { StoredKey } from "./stored_key.ts";
import type * as T from "./types.ts";

/** What is decided about a call, now or once something else has happened. */
type Decision = T.AdmitReply | { waitFor: Promise<void> };

type Told = Pick<Notices, "recent" | "ready" | "refusedBy" | "refusedUnpaid">;

/** Lets calls in: who it is, may they, how often, and what it can cost at most. */
export class Admission {
  readonly #parts: LedgerParts;
  readonly #notices: Told;

  /** `notices`: the newest, for reports; and what there is to notice in a refusal. */
  constructor(parts: LedgerParts, notices: Told) {
    this.#parts = parts;
    this.#notices = notices;
  }

  identify(caller: T.Caller): T.IdentifyReply {
    const { ring, account, now } = this.#parts;
    const found = ring.check(caller, now());
    return "key" in found ? { kind: "identified", identity: identityOf(found.key, account) } : found;
  }

  async admit(request: T.AdmitRequest): Promise<T.AdmitReply> {
    const { now } = this.#parts;
    const giveUpAt = now() + WAIT_MS;
    for (;;) {
      const decided = this.#decide(request);
      if (!("waitFor" in decided)) return decided;
      const left = giveUpAt - now();
      if (left <= 0) return refuse("idempotency_in_progress", "The first call is still running.", { retry_after: 5 });
      await within(decided.waitFor, left, undefined);
    }
  }

  /** As `admit`, in a turn that is not the object's; undefined when it takes more than memory, and nothing has changed. */
  admitFromElsewhere(request: T.AdmitRequest): T.AdmitReply | undefined {
    if (!this.#isInMemory(request)) return undefined;
    const decided = this.#parts.turn.elsewhere(() => this.#decide(request));
    if ("kind" in decided) return decided;
    throw new Error("an admission without an idempotency key waits for nothing");
  }

  /** Whether all that the decision reads and changes is in memory. */
  #isInMemory({ idempotency, caller, reads }: T.AdmitRequest): boolean {
    const { periods, reports, plan } = this.#parts;
    const now = this.#parts.now();
    if (idempotency || periods.isDue(now)) return false;
    if ("verified" in caller && plan.isNews(caller.verified.plan, now)) return false;
    return !reads || (this.#notices.ready && reports.isReady(reads));
  }

  /** One synchronous decision: either everything about the call is counted and held, or nothing is. */
  #decide(request: T.AdmitRequest): Decision {
    const { ring, rates, journal, periods, calls } = this.#parts;
    const now = this.#parts.now();
    periods.turn();
    const found = ring.check(request.caller, now);
    if (!("key" in found)) return found;
    const { key } = found;
    if ("verified" in request.caller) this.#parts.plan.hear(request.caller.verified.plan, now);
    if (request.scope !== null && !key.scopes.includes(request.scope)) {
      return refuse("insufficient_scope", `\`${request.tool}\` needs the scope \`${request.scope}\`.`, {
        required_scope: request.scope,
        granted_scopes: key.scopes,
      });
    }
    const identity = identityOf(key, this.#parts.account);
    const admitting = this.#parts.plan.admitting(request.scope);
    if (!admitting.ok) return refuse(admitting.code, admitting.detail);
    const plan = admitting.value;
    const bounds = [...ring.chainOf(key), ...toolLimits(plan, request.tool)];
    if (request.idempotency) {
      const measure = () => rates.measure(now, plan.rate, bounds);
      const before = this.#before(request.idempotency, { key, identity, measure, now });
      if (before) return before;
    }
    const limited = request.uncounted
      ? rates.besides(now, key.id, request.tool)
      : rates.refusal(now, plan.rate, bounds);
    if (limited) return limited;
    let granted: number | undefined;
    const preferred = request.prefers ? this.#parts.account.prefers : null;
    if (request.hold && preferred === null) {
      const held = this.#hold(request, key, forPlan(request.hold, plan.id), now);
      if (!held.ok) return refuse(held.code, held.detail, held.extras);
      granted = held.value;
    }
    if (request.idempotency) {
      const { key: idempotencyKey, inputHash } = request.idempotency;
      this.#parts.attempts.begin(attemptKey(key.id, idempotencyKey), inputHash, request.callId, now + LEASE_MS);
    }
    const windows = request.uncounted
      ? rates.measure(now, plan.rate, bounds)
      : rates.take(now, plan.rate, bounds, journal);
    ring.touch(key, request.caller, now, journal);
    if (!request.metered) calls.put(freeCall(request, { keyId: key.id, user: key.user }, now));
    journal.within(FREE_JOURNAL_MS);
    return {
      kind: "admitted",
      identity,
      windows,
      ...(granted === undefined ? {} : { grantedOutputTokens: granted }),
      ...(preferred === null ? {} : { preferred }),
      ...(request.reads ? this.#answer(request.reads, key.id, plan, windows) : {}),
    };
  }

  /** What an earlier call with the same idempotency key leaves to this one; undefined when it is the first. */
  #before(
    idempotency: { key: string; inputHash: string },
    by: { key: StoredKey; identity: T.Identity; measure: () => T.WindowState[]; now: number },
  ): Decision | undefined {
    const { attempts, journal } = this.#parts;
    const attempt = attempts.look(attemptKey(by.key.id, idempotency.key), idempotency.inputHash, by.now);
    if (attempt.state === "first") return undefined;
    if (attempt.state === "running") return { waitFor: attempt.done };
    if (attempt.state === "conflict") {
      return refuse("idempotency_conflict", "This idempotency key came with another input before.");
    }
    const { callId, result, costNano, settlement } = attempt.stored;
    const kept = { callId, result, costNano, ...(settlement ? { settlement } : {}) };
    // A crash must not take back what was told.
    if (!attempt.written) journal.flush();
    return { kind: "replay", identity: by.identity, windows: by.measure(), ...kept };
  }

  /** Holds the worst case of a call that knew it only after it was admitted. */
  reserve(request: T.ReserveRequest): Result<{ grantedOutputTokens: number }> {
    const { books, periods, ring, now } = this.#parts;
    if (books.holds.has(request.callId)) return fail("conflict", "The call holds money already.");
    periods.turn();
    const { user = "" } = ring.get(request.keyId) ?? {};
    const held = this.#hold(request, { id: request.keyId, user }, request.hold, now());
    return held.ok ? ok({ grantedOutputTokens: held.value }) : held;
  }

  /** As `reserve`, in a turn that is not the object's; undefined when it takes more than memory, and nothing has changed. */
  reserveFromElsewhere(request: T.ReserveRequest): Result<{ grantedOutputTokens: number }> | undefined {
    const { periods, turn, now } = this.#parts;
    return periods.isDue(now()) ? undefined : turn.elsewhere(() => this.reserve(request));
  }

  #hold(call: T.CallFacts, key: Pick<StoredKey, "id" | "user">, hold: T.HoldRequest, now: number): Result<number> {
    const { books, budgets, plan, journal, alarm } = this.#parts;
    const { callId, tool, via, client = null, session = null } = call;
    const keyId = key.id;
    const paying = plan.current;
    if (!paying.ok) return paying;
    const within = budgets.cut(keyId, tool, hold);
    if (!within.ok) return this.#beyondBudget(within, hold);
    const placed = books.place(
      { callId, keyId, tool, expiresAt: now + LEASE_MS, by: { user: key.user, via, client, session } },
      within.value,
      paying.value.monthlyTokens,
    );
    if (!placed) return this.#cannotPay(within.value);
    journal.post([placed.entry], now);
    journal.within(HOLD_JOURNAL_MS);
    alarm.by(placed.hold.expiresAt);
    return ok(placed.hold.grantedOutputTokens);
  }

  #beyondBudget(refusal: Result<never> & { ok: false }, hold: T.HoldRequest): Result<never> {
    const tracked = this.#parts.budgets.get(String(refusal.extras?.budget_id));
    if (!tracked) return refusal;
    const { lasting, extras } = ofBudget(tracked, hold);
    if (lasting && this.#notices.refusedBy(tracked)) this.#parts.journal.within(FREE_JOURNAL_MS);
    return { ...refusal, extras: { ...refusal.extras, ...extras } };
  }

  #cannotPay(hold: T.HoldRequest): Result<never> {
    const { books, plan, journal } = this.#parts;
    const { monthlyTokens } = plan;
    const { lasting, extras } = ofMoney(books, hold, monthlyTokens);
    if (lasting && this.#notices.refusedUnpaid()) journal.within(FREE_JOURNAL_MS);
    return fail("payment_required", "Neither the plan's tokens nor the prepaid credit cover this call.", {
      tokens_remaining: monthlyTokens === null ? null : books.remainingTokens(monthlyTokens),
      credit_available_nano: books.availableNano,
      ...extras,
    });
  }

  #answer(reads: UsageReads, keyId: string, plan: T.Plan, windows: T.WindowState[]): UsageAnswers {
    const { reports, books, budgets, journal, now } = this.#parts;
    const write = () => journal.write();
    const over = reads.budgets ? { budgets: budgets.over(keyId) } : {};
    const answers = reports.answer(reads, {
      plan,
      windows,
      books,
      now: now(),
      notices: () => this.#notices.recent,
      write,
    });
    return { ...answers, ...over };
  }
}

const refuse = (code: ErrorCode, detail: string, extras?: T.Refusal["extras"]): T.Refusal => ({
  kind: "refused",
  code,
  detail,
  ...(extras ? { extras } : {}),
});
