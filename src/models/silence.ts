/** A busy isolate hears its timer before the answer that came in time: so long at least is listened for it once more. */
const LISTEN_MS = 25;

/** Watches how long a provider is waited for. One timer serves all waits: a stream has thousands. */
export class Silence {
  /** The longest silence that is waited for. */
  readonly ms: number;
  readonly #onSilent: () => void;
  /** Since when the provider is waited for, in ms since the epoch. */
  #since: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `onSilent` is called once it has been silent for too long. */
  constructor(ms: number, onSilent: () => void) {
    this.ms = ms;
    this.#onSilent = onSilent;
  }

  begin(): void {
    this.#since = Date.now();
    this.#timer ??= setTimeout(this.#look, this.ms);
  }

  /** The provider is not waited for: it has answered, or whoever reads is busy. */
  pause(): void {
    this.#since = undefined;
  }

  /** Waits for the provider. */
  async during<T>(wait: Promise<T>): Promise<T> {
    this.begin();
    try {
      return await wait;
    } finally {
      this.pause();
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    const since = this.#since;
    if (since === undefined) return;
    const left = since + this.ms - Date.now();
    // As long as the timer was late, it was this isolate that did not listen.
    this.#timer =
      left > 0 ? setTimeout(this.#look, left) : setTimeout(() => this.#end(since), Math.max(LISTEN_MS, -left));
  };

  #end(since: number): void {
    if (this.#since === since) this.#onSilent();
    else this.#look();
  }
}
