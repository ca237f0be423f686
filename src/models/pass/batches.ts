import { pace } from "./pace.ts";

/** So many pieces in a row that come fast are a burst, which is worth gathering. */
const BURST = 4;

type Piece = ReadableStreamReadResult<Uint8Array>;

/**
 * Reads a body as it comes, in few pieces where they come fast. To hand a piece to a Worker it must be woken up, which costs
 * 25 µs and more; so pieces that come fast are left to gather outside of it for a few milliseconds, and read at once. Slower
 * ones are handed on one by one, without delay.
 */
export class Batches {
  readonly #body: ReadableStream<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #gathers: boolean;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #gathered: Gathered | undefined;
  /** Fast pieces in a row. */
  #fast = 0;

  /**
   * `gathers`: the body comes straight from the network; workerd carries no other by itself. `signal`: that of the request
   * whose answer it is.
   */
  constructor(body: ReadableStream<Uint8Array>, gathers: boolean, signal: AbortSignal) {
    this.#body = body;
    this.#gathers = gathers;
    this.#signal = signal;
    this.#reader = body.getReader();
  }

  /** The next bytes: valid until nothing else than the caller wants them. Rejects when the body breaks off. */
  async read(): Promise<Piece> {
    if (this.#fast >= BURST && this.#gathers) {
      this.#gathered ??= this.#gather();
      await this.#gathered.wait(pace.gatherMs);
    }
    const asked = Date.now();
    const piece = await (this.#gathered ?? (this.#reader as ReadableStreamDefaultReader<Uint8Array>)).read();
    const now = Date.now();
    this.#fast = now - asked <= pace.fastMs ? this.#fast + 1 : 0;
    pace.woken(now);
    return piece;
  }

  #gather(): Gathered {
    this.#reader?.releaseLock();
    this.#reader = undefined;
    return new Gathered(this.#body, this.#signal);
  }
}

/**
 * A body that is drawn from its provider while nobody reads it. Its second branch does the drawing, in gulps that wake nobody
 * up in between, and never begins one before all of the last was read: a client that does not read stops the provider.
 */
class Gathered {
  readonly #mine: ReadableStreamBYOBReader;
  readonly #drawing: ReadableStreamBYOBReader;
  readonly #signal: AbortSignal;
  readonly #ahead = pace.aheadBytes;
  #view = new Uint8Array(this.#ahead);
  #gulp = new Uint8Array(this.#ahead);
  #fail: (reason: unknown) => void = () => {};
  /** Ends a wait. */
  #wake: () => void = () => {};
  #busy = false;
  #ended = false;
  #drawn = 0;
  #read = 0;

  constructor(body: ReadableStream<Uint8Array>, signal: AbortSignal) {
    const [mine, drawing] = body.tee();
    this.#mine = mine.getReader({ mode: "byob" });
    // Not read as it is: a branch that waits for a gulp would keep what has come from the other until then.
    const { readable, writable } = new IdentityTransformStream();
    drawing.pipeTo(writable).catch(() => {}); // Whoever reads learns of it too.
    this.#drawing = readable.getReader({ mode: "byob" });
    this.#signal = signal;
    // A request that is aborted ends its body, but not the branches of it.
    signal.addEventListener("abort", () => this.#cut());
    if (signal.aborted) this.#cut();
    else this.#draw();
  }

  /** Lets pieces gather for so long at most: there is nothing to wait for when a gulp is full or the body has ended. */
  wait(ms: number): Promise<void> | undefined {
    if (!this.#busy) return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async read(): Promise<Piece> {
    this.#signal.throwIfAborted();
    const { done, value } = await new Promise<Piece>((resolve, reject) => {
      this.#fail = reject;
      this.#mine.read(this.#view).then(resolve, reject);
    });
    if (done) return { done, value: undefined };
    this.#view = new Uint8Array(value.buffer as ArrayBuffer);
    this.#read += value.length;
    this.#draw();
    return { done: false, value: value.slice() };
  }

  /** A branch that is cancelled would end as if all of it had come. */
  #cut(): void {
    this.#fail(this.#signal.reason);
    this.#wake();
    for (const branch of [this.#mine, this.#drawing]) branch.cancel().catch(() => {});
  }

  #draw(): void {
    if (this.#busy || this.#ended || this.#read < this.#drawn) return;
    this.#busy = true;
    this.#drawing.readAtLeast(this.#ahead, this.#gulp).then(
      ({ done, value }) => this.#drew(done ? undefined : value),
      () => this.#drew(undefined),
    );
  }

  #drew(value: Uint8Array | undefined): void {
    this.#busy = false;
    if (value) {
      this.#gulp = new Uint8Array(value.buffer as ArrayBuffer);
      this.#drawn += value.length;
      this.#draw();
    } else this.#ended = true;
    if (!this.#busy) this.#wake();
  }
}
