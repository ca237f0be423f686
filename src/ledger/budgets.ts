import { fail, ok, type Result } from "../errors.ts";
import type { Hold } from "./books.ts";
import { type Period, periodAt } from "./budget_periods.ts";
import { type BudgetStore, type SlotRow, slotRowOf } from "./budget_store.ts";
import type { Budget, BudgetState } from "./budget_types.ts";
import type { Keyring } from "./keyring.ts";
import { countedAs } from "./spending_tools.ts";
import type { StoredKey } from "./stored_key.ts";
import type { TallyRow } from "./tally.ts";
import type { HoldRequest, KeyBudget } from "./types.ts";
import { affordable, worstCost } from "./worst_case.ts";

/** A budget with what was spent of it in the period it is in. */
export interface Tracked {
  budget: Budget;
  period: Period;
  spentNano: number;
}

/**
 * The budgets of an account: what is spent of a hard one, and what open holds may still cost, never exceeds it. A key's own
 * budget is one of them. Spending is read off what the reports are made of, so it is one with them.
 */
export class Budgets {
  readonly #store: BudgetStore;
  readonly #ring: Keyring;
  readonly #holds: ReadonlyMap<string, Hold>;
  readonly #tracked = new Map<string, Tracked>();
  readonly #worst = new WeakMap<Hold, number>();
  #slots = new Map<string, SlotRow>();
  #turnsAt = Number.POSITIVE_INFINITY;

  constructor(store: BudgetStore, ring: Keyring, holds: ReadonlyMap<string, Hold>, now: number) {
    this.#store = store;
    this.#ring = ring;
    this.#holds = holds;
    for (const budget of store.budgets()) this.#track(budget, now);
    for (const key of ring.all()) this.trackKey(key, now);
  }

  get size(): number {
    return this.#tracked.size;
  }

  tracked(): IterableIterator<Tracked> {
    return this.#tracked.values();
  }

  get(id: string): Tracked | undefined {
    return this.#tracked.get(id);
  }

  /** Whether a budget of this very credential bounds it. */
  bind(keyId: string): boolean {
    return [...this.#tracked.values()].some(({ budget }) => budget.key_id === keyId && budget.kind === "hard");
  }

  /** Whether a credential that is no key was ever heard of: it called, or made a key. All that was called must be written. */
  knows(id: string): boolean {
    return [...this.#ring.all()].some(({ createdBy }) => createdBy === id) || this.#store.hasCalled(id);
  }

  /** Begins to watch a new or changed budget, and keeps it. All that was spent must be written. */
  put(budget: Budget, now: number): void {
    this.#store.put(budget);
    this.#track(budget, now);
  }

  remove(id: string): void {
    this.#store.remove(id);
    this.#tracked.delete(id);
  }

  /** Takes a key's own budget as it is now. All that was spent must be written. */
  trackKey(key: StoredKey, now: number): void {
    if (key.budget) this.#track(budgetOf(key, key.budget), now);
    else this.#tracked.delete(key.id);
  }

  /** When a period ends next, in ms. */
  get turnsAt(): number {
    return this.#turnsAt;
  }

  /** Begins the periods that have begun. All that was spent must be written. */
  turn(now: number): void {
    for (const { budget, period } of this.#tracked.values()) {
      if (period.end !== null && now >= period.end) this.#track(budget, now);
    }
    this.#turnsAt = Math.min(
      ...[...this.#tracked.values()].map(({ period }) => period.end ?? Number.POSITIVE_INFINITY),
    );
  }

  /** Takes in a change of the tally by a call of this time (ISO 8601). */
  add(row: TallyRow, at: string): void {
    const slot = slotRowOf(row, at);
    if (!slot) return;
    this.#keepSlot(slot);
    if (this.#tracked.size === 0) return;
    const ms = Date.parse(at);
    for (const tracked of this.#tracked.values()) {
      if (!this.#counts(tracked.budget, row.key_id, row.tool)) continue;
      const { start } = tracked.period;
      if (start === null || ms >= start) tracked.spentNano += row.cost_nano;
    }
  }

  /** Writes what was added; in the transaction that writes the tally. */
  write(): void {
    if (this.#slots.size === 0) return;
    this.#store.addSlots([...this.#slots.values()]);
    this.#slots = new Map();
  }

  /** The hold with its output cut to what the hard budgets over it leave, or `budget_exceeded` when they leave too little. */
  cut(keyId: string, tool: string, request: HoldRequest): Result<HoldRequest> {
    if (this.#tracked.size === 0) return ok(request);
    let within = request;
    for (const tracked of this.#tracked.values()) {
      const { budget, spentNano } = tracked;
      if (budget.kind === "soft" || !this.#counts(budget, keyId, tool)) continue;
      const left = Math.max(0, budget.nano_usd - spentNano - this.#reserved(budget));
      const output = affordable(within, left);
      if (output === null) return this.#exceeded(tracked);
      within = { ...within, maxOutputTokens: output };
    }
    return ok(within);
  }

  stateOf(tracked: Tracked): BudgetState {
    const { budget, period, spentNano } = tracked;
    return {
      ...budget,
      spent_nano: spentNano,
      reserved_nano: this.#reserved(budget),
      began_at: isoOrNull(period.start),
      resets_at: isoOrNull(period.end),
    };
  }

  /** The budgets that count what a credential spends, by id. */
  over(keyId: string): BudgetState[] {
    if (this.#tracked.size === 0) return [];
    const line = this.#ring.lineOf(keyId);
    const over = [...this.#tracked.values()].filter(
      ({ budget: { key_id } }) => key_id === undefined || line.includes(key_id),
    );
    return sorted(over.map((tracked) => this.stateOf(tracked)));
  }

  /** All budgets, those of keys among them, by id. */
  all(): BudgetState[] {
    return sorted([...this.#tracked.values()].map((tracked) => this.stateOf(tracked)));
  }

  /** A key's own budget, what was spent of it in its period, and what open holds may still cost. */
  ofKey(key: StoredKey, budget: KeyBudget) {
    const tracked = this.#tracked.get(key.id);
    if (!tracked) throw new Error("a key's budget is not tracked");
    const { spent_nano, reserved_nano, resets_at } = this.stateOf(tracked);
    return { ...budget, spent_nano, reserved_nano, resets_at };
  }

  #track(budget: Budget, now: number): void {
    const period = periodAt(budget, now);
    const counted = {
      keyIds: this.#family(budget.key_id),
      tools: budget.tool === undefined ? null : countedAs(budget.tool),
    };
    this.#tracked.set(budget.id, { budget, period, spentNano: this.#store.spentSince(period.start, counted) });
    if (period.end !== null) this.#turnsAt = Math.min(this.#turnsAt, period.end);
  }

  /** A credential and the keys made with it; null for every credential. */
  #family(keyId: string | undefined): string[] | null {
    if (keyId === undefined) return null;
    const made = [...this.#ring.all()].filter(({ id }) => this.#ring.lineOf(id).includes(keyId));
    return [...new Set([keyId, ...made.map(({ id }) => id)])];
  }

  #counts(budget: Budget, keyId: string, tool: string): boolean {
    if (budget.tool !== undefined && budget.tool !== tool && !countedAs(budget.tool).includes(tool)) return false;
    return budget.key_id === undefined || budget.key_id === keyId || this.#ring.lineOf(keyId).includes(budget.key_id);
  }

  #keepSlot(row: SlotRow): void {
    const grain = `${row.slot} ${row.tool} ${row.key_id}`;
    const known = this.#slots.get(grain);
    if (known) known.cost_nano += row.cost_nano;
    else this.#slots.set(grain, row);
  }

  #reserved(budget: Budget): number {
    let nano = 0;
    for (const hold of this.#holds.values()) {
      if (this.#counts(budget, hold.keyId, hold.tool)) nano += this.#worstOf(hold);
    }
    return nano;
  }

  #worstOf(hold: Hold): number {
    let nano = this.#worst.get(hold);
    if (nano === undefined) {
      nano = worstCost(hold.request, hold.grantedOutputTokens);
      this.#worst.set(hold, nano);
    }
    return nano;
  }

  #exceeded(tracked: Tracked): Result<never> {
    const { id, key_id, tool, nano_usd, period, spent_nano, reserved_nano, resets_at } = this.stateOf(tracked);
    const whole = period === "total" ? "in all" : `a ${period}`;
    return fail(
      "budget_exceeded",
      `Of the budget "${id}" of ${nano_usd} nano-USD ${whole}, ${spent_nano} is spent and ${reserved_nano} is held by running calls.`,
      {
        budget_id: id,
        ...(key_id === undefined ? {} : { key_id }),
        ...(tool === undefined ? {} : { tool }),
        budget_nano_usd: nano_usd,
        budget_period: period,
        spent_nano_usd: spent_nano,
        reserved_nano_usd: reserved_nano,
        ...(resets_at === null ? {} : { resets_at }),
      },
    );
  }
}

const budgetOf = ({ id }: StoredKey, { nano_usd, period }: KeyBudget): Budget => ({
  id,
  key_id: id,
  nano_usd,
  period,
  kind: "hard",
});

const sorted = (states: BudgetState[]): BudgetState[] => states.sort((a, b) => (a.id < b.id ? -1 : 1));
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
