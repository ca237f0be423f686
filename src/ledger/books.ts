import { answering, costsOf, termsOf, tokensOf } from "./charge.ts";
import type { CallItem, Funding, HoldRequest, MovementKind } from "./types.ts";
import { affordable, worstCost } from "./worst_case.ts";

/**
 * The money of one account as a small pure state machine: no clock, no storage. Every step that moves anything returns the
 * immutable entries to append; the sums of the entries' columns are the state at all times.
 */

export type EntryKind = "hold" | "settle" | "void" | "expire" | "overrun" | MovementKind;

/** Kinds that only calls make. What moves money otherwise is looked up in the tables as soon as it is answered. */
export const OF_CALLS: ReadonlySet<EntryKind> = new Set<EntryKind>(["hold", "settle", "void", "expire", "overrun"]);
export const ENDS_HOLD: ReadonlySet<EntryKind> = new Set<EntryKind>(["settle", "void", "expire"]);

export interface Entry {
  callId: string;
  kind: EntryKind;
  keyId: string;
  /** Change of the reserved credit. */
  holdNano: number;
  /** Change of the prepaid balance. */
  creditNano: number;
  /** Change of the month's used tokens. */
  tokens: number;
  /** What the work was worth, whoever paid. */
  costNano: number;
  detail: Record<string, unknown>;
}

export interface Hold {
  callId: string;
  keyId: string;
  tool: string;
  request: HoldRequest;
  funding: Funding;
  /** Credit reserved; 0 when the plan's tokens pay. */
  nano: number;
  /** Included tokens reserved; 0 when credit pays. */
  tokens: number;
  grantedOutputTokens: number;
  expiresAt: number;
  /** Who called and how, as far as it was known; absent in holds of before it was kept. */
  by?: HeldBy;
}

export interface HeldBy {
  user: string;
  via: string;
  client: string | null;
  session: string | null;
}

export interface BooksState {
  balanceNano: number;
  settledCostNano: number;
  /** `YYYY-MM` that `tokensUsed` belongs to. */
  month: string;
  tokensUsed: number;
}

export interface Posting {
  entries: Entry[];
  costNano: number;
  creditNano: number;
  funding: Funding;
  /** What each item has of the cost, in the order of the items. */
  costs: number[];
}

export class Books {
  readonly #state: BooksState;
  readonly #holds = new Map<string, Hold>();
  #reservedNano = 0;
  #reservedTokens = 0;
  #movedNano = 0;

  constructor(state: BooksState, holds: readonly Hold[]) {
    this.#state = { ...state };
    for (const hold of holds) this.#add(hold);
  }

  get state(): Readonly<BooksState> {
    return this.#state;
  }
  get reservedNano(): number {
    return this.#reservedNano;
  }
  get reservedTokens(): number {
    return this.#reservedTokens;
  }
  /** What was moved outside of calls since these books were opened, nano-USD. */
  get movedNano(): number {
    return this.#movedNano;
  }
  get availableNano(): number {
    return this.#state.balanceNano - this.#reservedNano;
  }
  get holds(): ReadonlyMap<string, Hold> {
    return this.#holds;
  }

  /** Starts a new month when the calendar has: used tokens return to zero, money stays. */
  turnMonth(month: string): void {
    if (month <= this.#state.month) return;
    this.#state.month = month;
    this.#state.tokensUsed = 0;
  }

  /** Tokens the plan still covers this month, or Infinity. */
  remainingTokens(monthlyTokens: number | null): number {
    if (monthlyTokens === null) return Number.POSITIVE_INFINITY;
    return Math.max(0, monthlyTokens - this.#state.tokensUsed - this.#reservedTokens);
  }

  /**
   * Reserves the worst case of a call: from the plan's tokens when they cover the whole of it, else from whichever of plan
   * and prepaid credit grants more output, the plan where both grant the same. The output is cut to that grant. Returns null
   * when neither grants `minOutputTokens`.
   */
  place(
    call: { callId: string; keyId: string; tool: string; expiresAt: number; by?: HeldBy },
    request: HoldRequest,
    monthlyTokens: number | null,
  ): { hold: Hold; entry: Entry } | null {
    const grant = this.#grant(request, monthlyTokens);
    if (!grant) return null;
    const hold: Hold = { ...call, request, ...grant };
    this.#add(hold);
    return { hold, entry: entryOf(hold, "hold", { holdNano: hold.nano, detail: placedDetail(hold) }) };
  }

  /** Whether a call could be placed if running calls held nothing. */
  couldPlace(request: HoldRequest, monthlyTokens: number | null): boolean {
    const { balanceNano, tokensUsed } = this.#state;
    const tokens = monthlyTokens === null ? Number.POSITIVE_INFINITY : monthlyTokens - tokensUsed;
    return request.inputTokens + request.minOutputTokens <= tokens || affordable(request, balanceNano) !== null;
  }

  /** Posts what a held call used, all its tries as one, and releases its hold. What exceeds the hold is an entry of its own. */
  settle(hold: Hold, items: readonly CallItem[]): Posting {
    const { costNano: cost, costs } = costsOf(items, hold.request);
    const released = this.#remove(hold) ? -hold.nano : 0;
    const credit = hold.funding === "credit" ? cost : 0;
    const within = Math.min(credit, hold.nano);
    const tokens = hold.funding === "included" ? tokensOf(items) : 0;
    const entries = [
      entryOf(hold, "settle", {
        holdNano: released,
        creditNano: -within,
        tokens,
        costNano: cost,
        detail: settledDetail(hold, items),
      }),
    ];
    if (credit > within) entries.push(entryOf(hold, "overrun", { creditNano: within - credit }));
    this.#state.balanceNano -= credit;
    this.#state.tokensUsed += tokens;
    this.#state.settledCostNano += cost;
    return { entries, costNano: cost, creditNano: credit, funding: hold.funding, costs };
  }

  /** Releases a hold without a charge. */
  release(hold: Hold, kind: "void" | "expire", detail: Record<string, unknown> = {}): Entry[] {
    if (!this.#remove(hold)) return [];
    return [entryOf(hold, kind, { holdNano: -hold.nano, detail })];
  }

  /** Adds prepaid credit. */
  credit(id: string, keyId: string, nano: number, note: string): Entry {
    return this.move("credit", id, keyId, nano, note);
  }

  /** Moves the prepaid balance by a signed amount outside of any call. */
  move(kind: MovementKind, id: string, keyId: string, nano: number, note: string): Entry {
    this.#state.balanceNano += nano;
    this.#movedNano += nano;
    return {
      callId: id,
      kind,
      keyId,
      holdNano: 0,
      creditNano: nano,
      tokens: 0,
      costNano: 0,
      detail: { note },
    };
  }

  #grant(request: HoldRequest, monthlyTokens: number | null) {
    const plan = this.#fromPlan(request, monthlyTokens);
    if (plan?.grantedOutputTokens === request.maxOutputTokens) return plan;
    const credit = this.#fromCredit(request);
    if (!plan || !credit) return plan ?? credit;
    return credit.grantedOutputTokens > plan.grantedOutputTokens ? credit : plan;
  }

  #fromPlan(request: HoldRequest, monthlyTokens: number | null) {
    const output = Math.min(request.maxOutputTokens, this.remainingTokens(monthlyTokens) - request.inputTokens);
    if (output < request.minOutputTokens) return null;
    return { funding: "included" as const, nano: 0, tokens: request.inputTokens + output, grantedOutputTokens: output };
  }

  #fromCredit(request: HoldRequest) {
    const output = affordable(request, this.availableNano);
    if (output === null) return null;
    return { funding: "credit" as const, nano: worstCost(request, output), tokens: 0, grantedOutputTokens: output };
  }

  #add(hold: Hold): void {
    this.#holds.set(hold.callId, hold);
    this.#reservedNano += hold.nano;
    this.#reservedTokens += hold.tokens;
  }

  #remove(hold: Hold): boolean {
    if (!this.#holds.delete(hold.callId)) return false;
    this.#reservedNano -= hold.nano;
    this.#reservedTokens -= hold.tokens;
    return true;
  }
}

function entryOf(hold: Hold, kind: EntryKind, changes: Partial<Entry>): Entry {
  return {
    callId: hold.callId,
    kind,
    keyId: hold.keyId,
    holdNano: 0,
    creditNano: 0,
    tokens: 0,
    costNano: 0,
    detail: {},
    ...changes,
  };
}

function placedDetail(hold: Hold): Record<string, unknown> {
  const { alternatives } = hold.request;
  return alternatives ? { ...holdDetail(hold), alternatives } : holdDetail(hold);
}

/** What it takes to reckon the charge again. One try at the model first chosen says it in short. */
function settledDetail(hold: Hold, items: readonly CallItem[]): Record<string, unknown> {
  const { request } = hold;
  const [only] = items;
  if (items.length === 1 && only?.usage && only.outcome === "ok" && only.model === request.model) {
    return { ...holdDetail(hold), usage: only.usage };
  }
  const { model, provider, price, markupBps } = termsOf(request, answering(items)?.model ?? request.model);
  const tries = items.map((item) => {
    if (!item.usage) return item;
    const { provider, price, markupBps } = termsOf(request, item.model);
    return { ...item, provider, price, markupBps };
  });
  return { ...holdDetail(hold), model, provider, price, markupBps, items: tries };
}

function holdDetail({ request, funding, grantedOutputTokens }: Hold): Record<string, unknown> {
  const { model, provider, price, markupBps, inputTokens } = request;
  return { model, provider, price, markupBps, funding, inputTokens, grantedOutputTokens };
}
