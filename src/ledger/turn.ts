/**
 * Whose turn a ledger's code runs in. Storage, alarm and timers are the object's own: what is decided in the turn of a call
 * elsewhere in the isolate leaves them alone, and notes by when the object must see to it.
 */
export class Turn {
  #own = true;
  #due = Number.POSITIVE_INFINITY;

  /** False while something is decided in a turn that is not the object's. */
  get own(): boolean {
    return this.#own;
  }

  /** By when the object must see to what was decided elsewhere, in ms since the epoch. */
  get due(): number {
    return this.#due;
  }

  /** Runs work, which must not wait, in a turn that is not the object's. */
  elsewhere<T>(work: () => T): T {
    this.#own = false;
    try {
      return work();
    } finally {
      this.#own = true;
    }
  }

  /** The object must see to something by then. */
  leave(at: number): void {
    this.#due = Math.min(this.#due, at);
  }

  /** The object sees to it. */
  taken(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }
}
