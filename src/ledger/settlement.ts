import { fail, ok, type Result } from "../errors.ts";
import { keepable } from "./attempts.ts";
import type { Hold } from "./books.ts";
import { type SettledFacts, settledFacts } from "./call_details.ts";
import { expiredCall, unknownFacts } from "./call_rows.ts";
import { answering, sharesOf, termsOf, tokensOf, unbilled, usedAny } from "./charge.ts";
import { attemptKey, FREE_JOURNAL_MS, type LedgerParts } from "./ledger_parts.ts";
import { type TokenUsage, totalInput, totalOutput } from "./money.ts";
import type { OutboxRow, StoredResult } from "./rows.ts";
import type * as T from "./types.ts";

const NOTHING = { costNano: 0, creditNano: 0, funding: null, priceVersion: null };
/** Settlements found again without asking the disk. */
const ENDED_KEPT = 2_000;

/** A settlement with what each of the call's items has of its cost. */
interface Posted {
  settlement: T.Settlement;
  costs: readonly number[];
}

/** Ends calls: bills what was used, once, whatever was forgotten or repeated meanwhile. */
export class Settling {
  readonly #parts: LedgerParts;
  /** Settlements on their way to disk, so that a repeated settle finds the first. */
  readonly #ended = new Map<string, T.Settlement>();

  constructor(parts: LedgerParts) {
    this.#parts = parts;
  }

  /**
   * Ends a call: bills it, or gives its hold back. Repeating it returns what the first one posted.
   *
   * Two calls may have run with one idempotency key, because a restart forgot the first or its lease had ended: the first
   * to end is charged and its answer kept, the other costs nothing and gets that answer. Fails with `idempotency_conflict`
   * when that one had another input.
   */
  async settle(ended: T.SettleRequest): Promise<Result<T.Ended>> {
    const now = this.#parts.now();
    const kept = this.#keptOfAnother(ended, now);
    if (!kept) return ok(await this.#end(ended, now));
    const conflict = kept.inputHash !== ended.idempotency?.inputHash;
    const { result: _result, error: _error, ...request } = ended;
    const error = conflict ? "idempotency_conflict" : ended.error;
    const settlement = await this.#end({ ...request, items: unbilled(ended.items), ...(error ? { error } : {}) }, now);
    if (conflict) return fail("idempotency_conflict", "This idempotency key came with another input before.");
    const { inputHash: _hash, ...answer } = kept;
    return ok({ ...settlement, kept: answer });
  }

  /**
   * As `settle`, at once, in a turn that is not the object's; undefined: only the object itself can. What it gives may be told
   * when the object has written it.
   */
  settleFromElsewhere(ended: T.SettleRequest): T.Settlement | undefined {
    const { turn, books, periods, now } = this.#parts;
    const at = now();
    const isInMemory = ended.metered && !ended.idempotency && books.holds.has(ended.callId) && !periods.isDue(at);
    return isInMemory ? turn.elsewhere(() => this.#decide(ended, at)) : undefined;
  }

  /** The answer that is kept for the call's idempotency key, if it is another call's. */
  #keptOfAnother({ idempotency, keyId, callId }: T.SettleRequest, now: number): StoredResult | undefined {
    if (!idempotency) return undefined;
    const kept = this.#parts.attempts.kept(attemptKey(keyId, idempotency.key), now);
    return kept?.callId === callId ? undefined : kept;
  }

  async #end(request: T.SettleRequest, now: number): Promise<T.Settlement> {
    const { journal, periods, attempts } = this.#parts;
    periods.turn();
    const before = this.#ended.get(request.callId) ?? this.#endedOnDisk(request);
    if (before) {
      journal.flush();
      return before;
    }
    const settlement = this.#decide(request, now);
    if (request.idempotency) this.#endAttempt(request, settlement, now);
    const mustLast = request.hold !== undefined || request.idempotency !== undefined;
    if (mustLast) await journal.together(this.#parts.books.holds.size);
    else journal.within(FREE_JOURNAL_MS);
    if (request.idempotency) attempts.written(attemptKey(request.keyId, request.idempotency.key), request.callId);
    return settlement;
  }

  /** One synchronous decision: what the call cost, and its line in the usage records. */
  #decide(request: T.SettleRequest, now: number): T.Settlement {
    const counted = this.#countedAs(request, now);
    const { settlement, costs } = this.#post(request, now);
    this.#record(request, settlement, costs, now, counted);
    return settlement;
  }

  #post(request: T.SettleRequest, now: number): Posted {
    const { books, journal } = this.#parts;
    const { callId, items } = request;
    const hold = books.holds.get(callId);
    if (!request.hold || !usedAny(items)) {
      const facts = () => ({ ...(items.length > 0 ? { items } : {}), call: settledFacts(request, now) });
      if (hold) journal.post(books.release(hold, "void", facts()), now);
      return { settlement: this.#settlement(callId, NOTHING), costs: [] };
    }
    const posting = books.settle(hold ?? this.#lostHold(request, request.hold), items);
    Object.assign(posting.entries[0]?.detail ?? {}, { call: settledFacts(request, now) });
    journal.post(posting.entries, now);
    const asked = hold?.request ?? request.hold;
    const priceVersion = termsOf(asked, answering(items)?.model ?? asked.model).price.version ?? null;
    return { settlement: this.#settlement(callId, { ...posting, priceVersion }), costs: posting.costs };
  }

  #settlement(callId: string, posted: Omit<T.Settlement, "balanceNano" | "left">): T.Settlement {
    const { books, reports, plan } = this.#parts;
    const { costNano, creditNano, funding, priceVersion } = posted;
    const { balanceNano } = books.state;
    const left = reports.left({ plan, books });
    const settlement = { costNano, creditNano, funding, balanceNano, priceVersion, left };
    this.#ended.set(callId, settlement);
    if (this.#ended.size > ENDED_KEPT) this.#ended.delete(this.#ended.keys().next().value as string);
    return settlement;
  }

  /** A hold that expired or died with the object before it was journalled: the work was done, so it is billed all the same. */
  #lostHold(request: T.SettleRequest, hold: T.HoldRequest): Hold {
    const { books, plan } = this.#parts;
    const { callId, keyId, tool } = request;
    // Let in under a plan that is gone by now, it does not fall to the credit of who had no say in that.
    const included = !plan.known || books.remainingTokens(plan.monthlyTokens) >= tokensOf(request.items);
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
    const { books, store, reports, plan } = this.#parts;
    if (!request.hold || books.holds.has(request.callId)) return undefined;
    const entry = store.ended(request.callId);
    if (!entry) return undefined;
    const { funding, price } = JSON.parse(entry.detail) as { funding?: T.Funding; price?: { version?: string } };
    return {
      costNano: entry.cost_nano,
      creditNano: -entry.credit_nano,
      funding: funding ?? null,
      balanceNano: books.state.balanceNano,
      priceVersion: price?.version ?? null,
      left: reports.left({ plan, books }),
    };
  }

  /** How the call was counted until now: a free one when it was admitted, an expired one when its lease ended. */
  #countedAs(request: T.SettleRequest, now: number): OutboxRow | undefined {
    const { journal, reports, store, books } = this.#parts;
    if (request.metered && books.holds.has(request.callId)) return undefined;
    const pending = journal.pendingCall(request.callId) ?? reports.recentCall(request.callId);
    if (pending) return pending;
    // A restart may have forgotten that a free call was booked, or the disk may never have had it.
    if (!request.metered) return store.usage.callBegunAt(request.callId, now - request.durationMs);
    if (!request.hold || books.holds.has(request.callId)) return undefined;
    const expired = store.expired(request.callId);
    if (!expired) return undefined;
    const { call } = JSON.parse(expired.detail) as { call?: SettledFacts };
    return expiredCall(request, request.hold.model, call ?? unknownFacts(request.tool, expired.at));
  }

  /** Writes or amends the call's line in the usage records. */
  #record(
    request: T.SettleRequest,
    settlement: T.Settlement,
    costs: readonly number[],
    now: number,
    known: OutboxRow | undefined,
  ): void {
    const { items, hold } = request;
    const model = answering(items)?.model ?? hold?.model ?? null;
    const shares = items.length > 1 && model !== null ? sharesOf(items, costs, model) : [];
    const sum = (of: (usage: TokenUsage) => number) => items.reduce((n, { usage }) => n + (usage ? of(usage) : 0), 0);
    this.#parts.calls.put(
      {
        id: request.callId,
        pos: 0,
        at: known?.at ?? new Date(now - request.durationMs).toISOString(),
        tool: request.tool,
        model,
        key_id: request.keyId,
        user: request.user,
        via: request.via,
        client: request.client ?? null,
        session_id: request.session ?? null,
        input_tokens: sum(totalInput),
        output_tokens: sum(totalOutput),
        cost_nano: settlement.costNano,
        credit_nano: settlement.creditNano,
        status: request.error ?? "ok",
        estimated: items.some(({ estimated }) => estimated),
        duration_ms: request.durationMs,
        ...(shares.length > 0 ? { shares } : {}),
        ...(!hold && items.length > 0 ? { tries: items } : {}),
      },
      known,
    );
  }

  #endAttempt(request: T.SettleRequest, settlement: T.Settlement, now: number): void {
    const { attempts, journal } = this.#parts;
    const { idempotency, callId, result } = request;
    if (!idempotency) return;
    const kept =
      request.error || result === undefined
        ? null
        : {
            inputHash: idempotency.inputHash,
            callId,
            result: keepable(result),
            costNano: settlement.costNano,
            settlement,
          };
    attempts.end(attemptKey(request.keyId, idempotency.key), callId, kept, now, journal);
  }
}
