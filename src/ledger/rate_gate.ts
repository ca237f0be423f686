import type { Journal } from "./journal.ts";
import { boundAs } from "./spending_tools.ts";
import type { Plan, RateLimits, Refusal, WindowState } from "./types.ts";
import { SlidingWindows, type WindowsSnapshot } from "./windows.ts";

const ACCOUNT = "account";
const TOOL = "tool:";

/** Calls of one credential that are not counted: so many a minute, kept in memory alone. */
const UNCOUNTED = { minute: 60 };

/** What has limits of its own within the account's: a key, or `tool:<name>`. */
export interface Limited {
  id: string;
  limits: Partial<RateLimits> | null;
}

/** The limits a plan sets for one tool, if it does; those of `chat` hold for every way to chat. */
export function toolLimits({ tools }: Plan, tool: string): Limited[] {
  if (!tools) return [];
  return boundAs(tool).flatMap((name) => (tools[name] ? [{ id: `${TOOL}${name}`, limits: tools[name] }] : []));
}

/**
 * Rate limits of the account (by plan), of the tool if the plan has some, and of the keys that have their own: the caller's
 * and those that bind it. A call counts in all of them or in none.
 */
export class RateGate {
  readonly #scopes = new Map<string, SlidingWindows>();
  readonly #uncounted = new Map<string, SlidingWindows>();

  constructor(stored: ReadonlyMap<string, WindowsSnapshot>) {
    for (const [scope, snapshot] of stored) this.#scopes.set(scope, new SlidingWindows(snapshot));
  }

  /** The tightest state of each window; counts nothing. */
  measure(now: number, plan: RateLimits, keys: readonly Limited[]): WindowState[] {
    let states = this.#windows(ACCOUNT).measure(now, plan);
    for (const { id, limits } of keys) {
      if (limits) states = tightest(states, this.#windows(id).measure(now, limits));
    }
    return states;
  }

  /** A refusal when any window is full. */
  refusal(now: number, plan: RateLimits, keys: readonly Limited[]): Refusal | null {
    const states = this.measure(now, plan, keys);
    const full = states.filter((state) => state.remaining === 0);
    if (full.length === 0) return null;
    const last = full.reduce((a, b) => (b.retryAfterMs > a.retryAfterMs ? b : a));
    const tool = this.#toolThatRefuses(now, last, keys);
    return {
      kind: "refused",
      code: "rate_limited",
      detail: `${last.limit} calls${tool ? ` of \`${tool}\`` : ""} a ${last.name} are allowed.`,
      extras: {
        retry_after: Math.ceil(last.retryAfterMs / 1_000),
        limit: last.name,
        ...(tool ? { tool } : {}),
      },
      windows: states,
    };
  }

  /** Counts the call; returns the state after it. */
  take(now: number, plan: RateLimits, keys: readonly Limited[], journal: Journal): WindowState[] {
    this.#count(ACCOUNT, now, journal);
    for (const { id, limits } of keys) if (limits) this.#count(id, now, journal);
    return this.measure(now, plan, keys);
  }

  /** Lets a call in that no window counts, or refuses it where one credential makes too many of them. */
  besides(now: number, keyId: string, tool: string): Refusal | null {
    const windows = this.#uncounted.get(keyId) ?? new SlidingWindows();
    const [state] = windows.measure(now, UNCOUNTED);
    if (state?.remaining === 0) {
      const extras = { retry_after: Math.ceil(state.retryAfterMs / 1_000), limit: state.name, tool };
      const detail = `${state.limit} calls of \`${tool}\` a minute are allowed.`;
      return { kind: "refused", code: "rate_limited", detail, extras, windows: [state] };
    }
    windows.take(now);
    this.#uncounted.set(keyId, windows);
    return null;
  }

  /** The tool whose own limit is the one that refuses. */
  #toolThatRefuses(now: number, { name, retryAfterMs }: WindowState, bounds: readonly Limited[]): string | undefined {
    const own = bounds.find(({ id, limits }) => {
      const states = id.startsWith(TOOL) && limits ? this.#windows(id).measure(now, limits) : [];
      return states.some(
        (state) => state.name === name && state.remaining === 0 && state.retryAfterMs === retryAfterMs,
      );
    });
    return own?.id.slice(TOOL.length);
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
