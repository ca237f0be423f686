/** Pieces that come within this time of being waited for come fast. Workers' clocks tell milliseconds. */
const FAST_MS = 1;
/** So many of them in a row are a burst, which is worth gathering. */
const BURST = 16;
/** How long what comes fast is gathered: a reader of words does not notice it. */
const GATHER_MS = 4;
/** A batch of this size comes from a reader who was slower than the provider: nothing is won by waiting. */
const FULL = 16 * 1024;
/** How far the provider may be ahead of whoever reads. */
const AHEAD = 64 * 1024;

type Piece = ReadableStreamReadResult<Uint8Array>;

/**
 * Reads a body as it comes, in few pieces where they come fast. To hand a piece to a Worker it must be woken up, which costs
 * 25 µs and more; so pieces that come less than a millisecond apart are left to gather outside of it for a few, and read at once.
 * Slower ones are handed on one by one, without delay.
 */
export class Batches {
  readonly #body: ReadableStream<Uint8Array>;
  readonly #signal: AbortSignal;
  readonly #gathers: boolean;
  #reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  #gathered: Gathered | undefined;
  /** Fast pieces in a row. */
  #fast = 0;
  #full = false;

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
      if (!this.#full) await new Promise((resolve) => setTimeout(resolve, GATHER_MS));
    }
    const asked = Date.now();
    const piece = await (this.#gathered ?? (this.#reader as ReadableStreamDefaultReader<Uint8Array>)).read();
    this.#fast = Date.now() - asked <= FAST_MS ? this.#fast + 1 : 0;
    this.#full = (piece.value?.length ?? 0) >= FULL;
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
  #view = new Uint8Array(AHEAD);
  #gulp = new Uint8Array(AHEAD);
  #fail: (reason: unknown) => void = () => {};
  #busy = false;
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
    for (const branch of [this.#mine, this.#drawing]) branch.cancel().catch(() => {});
  }

  #draw(): void {
    if (this.#busy || this.#read < this.#drawn) return;
    this.#busy = true;
    this.#drawing.readAtLeast(AHEAD, this.#gulp).then(
      ({ done, value }) => {
        if (done || !value) return;
        this.#gulp = new Uint8Array(value.buffer as ArrayBuffer);
        this.#drawn += value.length;
        this.#busy = false;
        this.#draw();
      },
      () => {},
    );
  }
}
