/** Wakes a second for pieces of streams above which an isolate lets more of them gather, and below which less. */
const MANY = 2_000;
const FEW = 400;
const WINDOW_MS = 50;
/** How long pieces gather: a reader of words does not notice either. */
const SHORTEST_MS = 8;
const LONGEST_MS = 32;
const BUFFER = 64 * 1024;
/** Many streams at once have less memory each. */
const SMALL_BUFFER = 16 * 1024;

/**
 * How long the pieces of streams gather before an isolate is woken for them. Each wake costs it 25 µs and more, so with
 * hundreds of streams at once it would do little else: the more often it is woken, the longer they gather.
 */
export class Pace {
  gatherMs = SHORTEST_MS;
  #since = 0;
  #wakes = 0;

  /** Takes note that a piece was handed over. `now`: ms since the epoch. */
  woken(now: number): void {
    this.#wakes++;
    const ms = now - this.#since;
    if (ms < WINDOW_MS && ms >= 0) return;
    const rate = (this.#wakes * 1_000) / Math.max(ms, WINDOW_MS);
    if (rate > MANY) this.gatherMs = Math.min(LONGEST_MS, this.gatherMs * 2);
    else if (rate < FEW) this.gatherMs = Math.max(SHORTEST_MS, this.gatherMs / 2);
    this.#since = now;
    this.#wakes = 0;
  }

  get #isCrowded(): boolean {
    return this.gatherMs > SHORTEST_MS;
  }

  /** Pieces that come within this time of being waited for come fast. Workers' clocks tell milliseconds. */
  get fastMs(): number {
    return this.#isCrowded ? this.gatherMs : 1;
  }

  /** How far the provider may be ahead of whoever reads. */
  get aheadBytes(): number {
    return this.#isCrowded ? SMALL_BUFFER : BUFFER;
  }
}

/** That of this isolate. */
export const pace = new Pace();
