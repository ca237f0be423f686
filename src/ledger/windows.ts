import type { RateLimits, WindowState } from "./types.ts";

/**
 * Sliding rate windows: never more than the limit in any trailing minute, hour or day.
 * The minute is an exact log of call times. Hour and day count in sub-buckets that leave the window only when their newest
 * call has, so they may refuse up to one sub-bucket too long and never admit one call too many.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Counts at a grain: `[newest call in ms, calls]`, oldest first. The stored form of every window. */
type Buckets = [number, number][];
export type WindowsSnapshot = Record<WindowState["name"], Buckets>;

interface Counter {
  take(now: number): void;
  /** Calls still inside the window, and the time of the call whose leaving brings the count below `limit`. */
  measure(now: number, limit: number): { used: number; freesAt: number; emptyAt: number };
  snapshot(now: number): Buckets;
}

class ExactLog implements Counter {
  readonly #span: number;
  #times: number[] = [];
  #head = 0;

  constructor(span: number, stored: Buckets) {
    this.#span = span;
    for (const [at, count] of stored) for (let i = 0; i < count; i++) this.#times.push(at);
  }

  take(now: number): void {
    this.#times.push(now);
  }

  measure(now: number, limit: number) {
    while (this.#head < this.#times.length && (this.#times[this.#head] as number) + this.#span <= now) this.#head++;
    if (this.#head > 4_096 && this.#head * 2 > this.#times.length) {
      this.#times = this.#times.slice(this.#head);
      this.#head = 0;
    }
    const used = this.#times.length - this.#head;
    const last = this.#times.at(-1);
    const freeing = used >= limit ? (this.#times[this.#head + used - limit] as number) + this.#span : now;
    return { used, freesAt: freeing, emptyAt: used > 0 && last !== undefined ? last + this.#span : now };
  }

  snapshot(now: number): Buckets {
    const buckets: Buckets = [];
    for (let i = this.#head; i < this.#times.length; i++) {
      const at = this.#times[i] as number;
      if (at + this.#span <= now) continue;
      const newest = buckets.at(-1);
      if (newest && Math.floor(newest[0] / SECOND) === Math.floor(at / SECOND)) {
        newest[0] = at;
        newest[1]++;
      } else buckets.push([at, 1]);
    }
    return buckets;
  }
}

class BucketLog implements Counter {
  readonly #span: number;
  readonly #grain: number;
  readonly #buckets: Buckets;
  #used = 0;

  constructor(span: number, grain: number, stored: Buckets) {
    this.#span = span;
    this.#grain = grain;
    this.#buckets = stored.map(([at, count]) => [at, count]);
    for (const [, count] of stored) this.#used += count;
  }

  take(now: number): void {
    const newest = this.#buckets.at(-1);
    if (newest && Math.floor(newest[0] / this.#grain) === Math.floor(now / this.#grain)) {
      newest[0] = now;
      newest[1]++;
    } else this.#buckets.push([now, 1]);
    this.#used++;
  }

  measure(now: number, limit: number) {
    while (this.#buckets[0] && this.#buckets[0][0] + this.#span <= now) this.#used -= this.#buckets.shift()?.[1] ?? 0;
    const last = this.#buckets.at(-1);
    return {
      used: this.#used,
      freesAt: this.#used >= limit ? this.#freesAt(limit, now) : now,
      emptyAt: last ? last[0] + this.#span : now,
    };
  }

  #freesAt(limit: number, now: number): number {
    let left = this.#used;
    for (const [at, count] of this.#buckets) {
      left -= count;
      if (left < limit) return at + this.#span;
    }
    return now;
  }

  snapshot(): Buckets {
    return this.#buckets.map(([at, count]) => [at, count]);
  }
}

const SPANS = { minute: MINUTE, hour: HOUR, day: DAY } as const;
const NAMES = ["minute", "hour", "day"] as const;

export class SlidingWindows {
  readonly #counters: Record<WindowState["name"], Counter>;
  /** A clock that steps back must not let calls in twice. */
  #now = 0;

  constructor(stored?: WindowsSnapshot) {
    this.#counters = {
      minute: new ExactLog(SPANS.minute, stored?.minute ?? []),
      hour: new BucketLog(SPANS.hour, MINUTE, stored?.hour ?? []),
      day: new BucketLog(SPANS.day, 15 * MINUTE, stored?.day ?? []),
    };
    for (const name of NAMES) this.#now = Math.max(this.#now, stored?.[name].at(-1)?.[0] ?? 0);
  }

  /** State of each limited window; changes nothing that is counted. */
  measure(clock: number, limits: Partial<RateLimits>): WindowState[] {
    const now = this.#tick(clock);
    const states: WindowState[] = [];
    for (const name of NAMES) {
      const limit = limits[name];
      if (limit === undefined) continue;
      const { used, freesAt, emptyAt } = this.#counters[name].measure(now, limit);
      states.push({
        name,
        limit,
        remaining: Math.max(0, limit - used),
        retryAfterMs: Math.max(0, freesAt - now),
        resetMs: Math.max(0, emptyAt - now),
      });
    }
    return states;
  }

  /** Counts one call in every window. */
  take(clock: number): void {
    const now = this.#tick(clock);
    for (const name of NAMES) this.#counters[name].take(now);
  }

  snapshot(clock: number): WindowsSnapshot {
    const now = this.#tick(clock);
    return {
      minute: this.#counters.minute.snapshot(now),
      hour: this.#counters.hour.snapshot(now),
      day: this.#counters.day.snapshot(now),
    };
  }

  #tick(clock: number): number {
    this.#now = Math.max(this.#now, clock);
    return this.#now;
  }
}
