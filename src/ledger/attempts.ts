import type { Journal } from "./journal.ts";
import type { StoredResult } from "./rows.ts";
import type { Store } from "./store.ts";

/**
 * Idempotency: the first call with a key runs, the same call again gets its result for 24 hours. While the first is
 * running the others wait for it; when it fails, nothing was done, and the next in line becomes the first.
 */

const KEEP_MS = 24 * 60 * 60 * 1_000;
/** How long a repeated call waits for the first before it is told to come back. */
export const WAIT_MS = 20_000;

/** The largest result that is kept, in bytes: SQLite in a Durable Object holds 2 MB a row, and may hold more of it than this. */
export const KEPT_BYTES = 1_500_000;
/** What is kept of a larger one: that there was one. */
const TOO_LARGE = "";

/** The result as it is kept. */
export const keepable = (result: string): string =>
  result.length * 3 <= KEPT_BYTES || Buffer.byteLength(result) <= KEPT_BYTES ? result : TOO_LARGE;

/** Whether there was a result and it was too large to be kept. */
export const wasTooLarge = (result: string): boolean => result === TOO_LARGE;

interface Running {
  inputHash: string;
  callId: string;
  /** Until then the first call may still end; afterwards it counts as crashed. */
  expiresAt: number;
  done: Promise<void>;
  finish: () => void;
}

export type AttemptState =
  | { state: "first" }
  /** `written`: the result is in the tables, and whoever is told of it is told when it is on disk. */
  | { state: "replay"; stored: StoredResult; written: boolean }
  | { state: "conflict" }
  | { state: "running"; done: Promise<void> };

export class Attempts {
  readonly #store: Store;
  readonly #running = new Map<string, Running>();
  /** Results already decided and not yet written. */
  readonly #fresh = new Map<string, StoredResult>();

  constructor(store: Store) {
    this.#store = store;
  }

  look(key: string, inputHash: string, now: number): AttemptState {
    const running = this.#running.get(key);
    if (running && running.expiresAt > now) {
      return running.inputHash === inputHash ? { state: "running", done: running.done } : { state: "conflict" };
    }
    const stored = this.kept(key, now);
    if (!stored) return { state: "first" };
    return stored.inputHash === inputHash
      ? { state: "replay", stored, written: !this.#fresh.has(key) }
      : { state: "conflict" };
  }

  /** The result that was kept for a key, if there is one. */
  kept(key: string, now: number): StoredResult | undefined {
    return this.#fresh.get(key) ?? this.#store.result(key, now);
  }

  begin(key: string, inputHash: string, callId: string, expiresAt: number): void {
    let finish = () => {};
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    this.#running.set(key, { inputHash, callId, expiresAt, done, finish });
  }

  /** Ends an attempt with a result to keep, or without one: then the next call with the key runs. */
  end(key: string, callId: string, outcome: StoredResult | null, now: number, journal: Journal): void {
    if (outcome) {
      this.#fresh.set(key, outcome);
      journal.putResult(key, outcome, now + KEEP_MS);
    }
    const running = this.#running.get(key);
    if (running?.callId !== callId) return;
    this.#running.delete(key);
    running.finish();
  }

  /** The call's result is written, if it had one. Another call's with the same key may not be yet. */
  written(key: string, callId: string): void {
    if (this.#fresh.get(key)?.callId === callId) this.#fresh.delete(key);
  }

  /** Lets go of attempts whose call crashed. */
  sweep(now: number): void {
    for (const [key, running] of this.#running) {
      if (running.expiresAt > now) continue;
      this.#running.delete(key);
      running.finish();
    }
  }
}
