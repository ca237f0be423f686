import type { Turn } from "./turn.ts";

/** The one alarm of the object, set to the earliest of what it is asked for. */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  readonly #turn: Turn;
  #at = Number.POSITIVE_INFINITY;
  /** What was asked for in a turn that is not the object's. */
  #wanted = Number.POSITIVE_INFINITY;

  constructor(storage: DurableObjectStorage, turn: Turn) {
    this.#storage = storage;
    this.#turn = turn;
  }

  /** Rings at this time, in ms, at the latest. */
  by(at: number): void {
    if (at >= this.#at) return;
    if (!this.#turn.own) {
      this.#wanted = Math.min(this.#wanted, at);
      this.#turn.leave(at);
      return;
    }
    this.#at = at;
    this.#storage.setAlarm(at);
  }

  /** Sets what was asked for elsewhere. */
  tend(): void {
    const at = this.#wanted;
    this.#wanted = Number.POSITIVE_INFINITY;
    if (at < Number.POSITIVE_INFINITY) this.by(at);
  }

  /** It has rung, and is not set any more. */
  rang(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }
}
