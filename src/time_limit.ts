/*
 * Waiting no longer than so long. An account's object lives on when a call has ended, and may have 10,000 timers at once: so no
 * timer outlives what it was set for.
 */

/** A signal that is aborted when its time is up (`TimeoutError`), or another signal is. Who made it says when it is not needed any more. */
export class TimeLimit {
  readonly #abort = new AbortController();
  readonly #other: AbortSignal | undefined;
  readonly #onOther = () => this.#abort.abort(this.#other?.reason);
  readonly #timer: ReturnType<typeof setTimeout>;

  constructor(ms: number, other?: AbortSignal) {
    this.#timer = setTimeout(() => this.#abort.abort(new DOMException("The time is up.", "TimeoutError")), ms);
    this.#other = other;
    if (other?.aborted) this.#onOther();
    else other?.addEventListener("abort", this.#onOther);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#other?.removeEventListener("abort", this.#onOther);
  }
}

/** What is waited for, or `late` when it takes longer. */
export async function within<T, Late>(wait: Promise<T>, ms: number, late: Late): Promise<T | Late> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(late), ms);
  });
  try {
    return await Promise.race([wait, end]);
  } finally {
    clearTimeout(timer);
  }
}

/** Work that is given up when it takes longer. */
export async function limited<T>(
  ms: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new TimeLimit(ms, signal);
  try {
    return await work(limit.signal);
  } finally {
    limit.end();
  }
}
