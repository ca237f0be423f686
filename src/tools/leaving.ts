import { estimateTokens } from "../models/tokens.ts";
import type { Call } from "./define.ts";

/** How many tokens are still read for a client that left: to its end the charge is exact, but somebody pays for each. */
const DRAIN_TOKENS = 256;

/**
 * A signal that ends a model's work: at the call's deadline, or when its client left and the rest of the answer is more
 * than is worth reading. `kept`: the answer is stored for the client to find later, so all of it is worth it.
 */
export class Leaving {
  readonly signal: AbortSignal;
  readonly #cut: AbortController | undefined;
  readonly #call: Pick<Call, "drainMs">;
  readonly #left: AbortSignal | undefined;
  readonly #kept: boolean;
  readonly #onLeft = () => this.#begin();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tokens = 0;

  constructor(call: Pick<Call, "signal" | "left" | "drainMs">, kept: boolean) {
    const { signal, left } = call;
    this.#call = call;
    this.#left = left;
    this.#kept = kept;
    if (!left) {
      this.signal = signal;
      return;
    }
    this.#cut = new AbortController();
    this.signal = AbortSignal.any([signal, this.#cut.signal]);
    if (left.aborted) this.#begin();
    else left.addEventListener("abort", this.#onLeft);
  }

  /** Takes note of a piece of the answer. */
  read(text: string): void {
    if (!this.#left?.aborted || this.#kept) return;
    this.#tokens += estimateTokens(text);
    if (this.#tokens > DRAIN_TOKENS) this.#cut?.abort();
  }

  /** Ends the watch. */
  close(): void {
    this.#left?.removeEventListener("abort", this.#onLeft);
    clearTimeout(this.#timer);
  }

  #begin(): void {
    this.#timer = setTimeout(() => this.#cut?.abort(), this.#call.drainMs);
  }
}
