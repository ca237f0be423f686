/** The one alarm of the object, set to the earliest of what it is asked for. */
export class AlarmClock {
  readonly #storage: DurableObjectStorage;
  #at = Number.POSITIVE_INFINITY;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** Rings at this time, in ms, at the latest. */
  by(at: number): void {
    if (at >= this.#at) return;
    this.#at = at;
    this.#storage.setAlarm(at);
  }

  /** It has rung, and is not set any more. */
  rang(): void {
    this.#at = Number.POSITIVE_INFINITY;
  }
}
