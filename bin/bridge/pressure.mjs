/**
 * `fetch` whose answers are read no faster than what came before was taken: a client that reads slowly holds up the
 * server, and nothing piles up here.
 *
 * @param {() => Promise<void>} taken resolves when all that was passed on is taken
 * @returns {(url: string | URL, init?: RequestInit) => Promise<Response>}
 */
export function pacedFetch(taken) {
  return async (url, init) => {
    const response = await fetch(url, init);
    if (!response.body) return response;
    const paced = response.body.pipeThrough(
      new TransformStream({
        async transform(chunk, controller) {
          await taken();
          controller.enqueue(chunk);
        },
      }),
    );
    const { status, statusText, headers } = response;
    return new Response(paced, { status, statusText, headers });
  };
}

/** At most so many at once; the others wait in their order. */
export class Places {
  /** @type {(() => void)[]} */
  #waiting = [];
  #free;

  /** @param {number} most */
  constructor(most) {
    this.#free = most;
  }

  get waiting() {
    return this.#waiting.length;
  }

  /** @returns {Promise<void>} when a place is free; `leave` gives it back */
  async take() {
    if (this.#free > 0) this.#free--;
    else await new Promise((resolve) => this.#waiting.push(() => resolve(undefined)));
  }

  leave() {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
