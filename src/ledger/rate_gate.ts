import type { Journal } from "./journal.ts";
import type { StoredKey } from "./store.ts";
import type { RateLimits, Refusal, WindowState } from "./types.ts";
import { SlidingWindows, type WindowsSnapshot } from "./windows.ts";

const ACCOUNT = "account";

/**
 * Rate limits of the account (by plan) and of the keys that have their own: the caller's and those that bind it. A call counts
 * in all of them or in none.
 */
export class RateGate {
  readonly #scopes = new Map<string, SlidingWindows>();

  constructor(stored: ReadonlyMap<string, WindowsSnapshot>) {
    for (const [scope, snapshot] of stored) this.#scopes.set(scope, new SlidingWindows(snapshot));
  }

  /** The tightest state of each window; counts nothing. */
  measure(now: number, plan: RateLimits, keys: readonly StoredKey[]): WindowState[] {
    let states = this.#windows(ACCOUNT).measure(now, plan);
    for (const { id, limits } of keys) {
      if (limits) states = tightest(states, this.#windows(id).measure(now, limits));
    }
    return states;
  }

  /** A refusal when any window is full. */
  refusal(now: number, plan: RateLimits, keys: readonly StoredKey[]): Refusal | null {
    const states = this.measure(now, plan, keys);
    const full = states.filter((state) => state.remaining === 0);
    if (full.length === 0) return null;
    const last = full.reduce((a, b) => (b.retryAfterMs > a.retryAfterMs ? b : a));
    return {
      kind: "refused",
      code: "rate_limited",
      detail: `${last.limit} calls a ${last.name} are allowed.`,
      extras: { retry_after: Math.ceil(last.retryAfterMs / 1_000), limit: last.name },
      windows: states,
    };
  }

  /** Counts the call; returns the state after it. */
  take(now: number, plan: RateLimits, keys: readonly StoredKey[], journal: Journal): WindowState[] {
    this.#count(ACCOUNT, now, journal);
    for (const { id, limits } of keys) if (limits) this.#count(id, now, journal);
    return this.measure(now, plan, keys);
  }

  #count(scope: string, now: number, journal: Journal): void {
    const windows = this.#windows(scope);
    windows.take(now);
    journal.touched(scope, windows);
  }

  #windows(scope: string): SlidingWindows {
    let windows = this.#scopes.get(scope);
    if (!windows) {
      windows = new SlidingWindows();
      this.#scopes.set(scope, windows);
    }
    return windows;
  }
}

function tightest(account: WindowState[], key: WindowState[]): WindowState[] {
  return account.map((state) => {
    const own = key.find((candidate) => candidate.name === state.name);
    return own && (own.remaining < state.remaining || own.retryAfterMs > state.retryAfterMs) ? own : state;
  });
}
