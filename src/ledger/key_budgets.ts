import { fail, ok, type Result } from "../errors.ts";
import { affordable, type Hold, worstCost } from "./books.ts";
import { monthEnd } from "./calendar.ts";
import type { Keyring } from "./keyring.ts";
import type { Store, StoredKey } from "./store.ts";
import type { TallyRow } from "./tally.ts";
import type { HoldRequest, KeyBudget } from "./types.ts";

/** What a key's calls came to, in nano-USD. */
interface Spent {
  total: number;
  month: number;
}

/**
 * Budgets of single keys: what a key and its offspring spent, and what their open holds may still cost, never exceeds them.
 * Spending is read off the tally, so it is one with the reports.
 */
export class KeyBudgets {
  readonly #store: Store;
  readonly #ring: Keyring;
  readonly #holds: ReadonlyMap<string, Hold>;
  readonly #spent = new Map<string, Spent>();
  readonly #worst = new WeakMap<Hold, number>();
  #month: string;

  constructor(store: Store, ring: Keyring, holds: ReadonlyMap<string, Hold>, month: string) {
    this.#store = store;
    this.#ring = ring;
    this.#holds = holds;
    this.#month = month;
    for (const key of ring.all()) this.track(key);
  }

  /** Begins to watch a key that has a budget. All that was spent must be written. */
  track(key: StoredKey): void {
    if (key.budget === null || this.#spent.has(key.id)) return;
    const family = [...this.#ring.all()].filter((other) => this.#ring.chainOf(other).includes(key));
    this.#spent.set(
      key.id,
      this.#store.spentBy(
        family.map(({ id }) => id),
        this.#month,
      ),
    );
  }

  turnMonth(month: string): void {
    if (month <= this.#month) return;
    this.#month = month;
    for (const spent of this.#spent.values()) spent.month = 0;
  }

  /** Takes in a change of the tally. */
  add(row: TallyRow): void {
    if (row.cost_nano === 0 || this.#spent.size === 0) return;
    const key = this.#ring.get(row.key_id);
    if (!key) return;
    for (const { id } of this.#ring.chainOf(key)) {
      const spent = this.#spent.get(id);
      if (!spent) continue;
      spent.total += row.cost_nano;
      if (row.day.startsWith(this.#month)) spent.month += row.cost_nano;
    }
  }

  /** The hold with its output cut to what the budgets over the key leave, or `budget_exceeded` when they leave too little. */
  cut(keyId: string, request: HoldRequest): Result<HoldRequest> {
    const key = this.#ring.get(keyId);
    if (!key || this.#spent.size === 0) return ok(request);
    let within = request;
    for (const bound of this.#ring.chainOf(key)) {
      if (bound.budget === null) continue;
      const state = this.stateOf(bound, bound.budget);
      const left = Math.max(0, bound.budget.nano_usd - state.spent_nano - state.reserved_nano);
      const output = affordable(within, left);
      if (output === null) return this.#exceeded(bound.id, state);
      within = { ...within, maxOutputTokens: output };
    }
    return ok(within);
  }

  /** A budget, what was spent of it in its period, and what open holds may still cost. */
  stateOf(key: StoredKey, budget: KeyBudget) {
    const spent = this.#spent.get(key.id);
    return {
      ...budget,
      spent_nano: spent?.[budget.period] ?? 0,
      reserved_nano: this.#reserved(key),
      resets_at: budget.period === "month" ? monthEnd(this.#month) : null,
    };
  }

  #reserved(key: StoredKey): number {
    let nano = 0;
    for (const hold of this.#holds.values()) {
      const holder = this.#ring.get(hold.keyId);
      if (holder && this.#ring.chainOf(holder).includes(key)) nano += this.#worstOf(hold);
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

  #exceeded(keyId: string, state: ReturnType<KeyBudgets["stateOf"]>): Result<never> {
    const { nano_usd, period, spent_nano, reserved_nano, resets_at } = state;
    const what = period === "month" ? "this month's budget" : "the whole budget";
    return fail(
      "budget_exceeded",
      `Of ${what} of ${nano_usd} nano-USD of the key ${keyId}, ${spent_nano} is spent and ${reserved_nano} is held by running calls.`,
      {
        key_id: keyId,
        budget_nano_usd: nano_usd,
        budget_period: period,
        spent_nano_usd: spent_nano,
        reserved_nano_usd: reserved_nano,
        ...(resets_at === null ? {} : { resets_at }),
      },
    );
  }
}
