import { estimateTokens } from "../models/tokens.ts";
import type { Call } from "./define.ts";

/** How many tokens are still read for a client that left: to its end the charge is exact, but somebody pays for each. */
const DRAIN_TOKENS = 256;

/**
 * What ends a model's work: at the call's deadline, or when its client left and the rest of the answer is more
 * than is worth reading. `kept`: the answer is stored for the client to find later, so all of it is worth it.
 */
export class Leaving {
  readonly #call: Pick<Call, "signal" | "drainMs">;
  readonly #left: AbortSignal | undefined;
  readonly #kept: boolean;
  readonly #onCut: (() => void) | undefined;
  readonly #onLeft = () => this.#begin();
  #abort: AbortController | undefined;
  #signal: AbortSignal | undefined;
  #isCut = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tokens = 0;

  /** `onCut`: called when the rest is not worth reading, for who heeds the call's own signal anyway. */
  constructor(call: Pick<Call, "signal" | "left" | "drainMs">, kept: boolean, onCut?: () => void) {
    const { left } = call;
    this.#call = call;
    this.#left = left;
    this.#kept = kept;
    this.#onCut = onCut;
    if (!left) return;
    if (left.aborted) this.#begin();
    else left.addEventListener("abort", this.#onLeft);
  }

  /** Aborted by whatever ends the work. */
  get signal(): AbortSignal {
    if (!this.#left) return this.#call.signal;
    if (!this.#signal) {
      this.#abort = new AbortController();
      if (this.#isCut) this.#abort.abort();
      this.#signal = AbortSignal.any([this.#call.signal, this.#abort.signal]);
    }
    return this.#signal;
  }

  /** Takes note of a piece of the answer. */
  read(text: string): void {
    if (!this.#left?.aborted || this.#kept) return;
    this.#tokens += estimateTokens(text);
    if (this.#tokens > DRAIN_TOKENS) this.#cut();
  }

  /** Ends the watch. */
  close(): void {
    this.#left?.removeEventListener("abort", this.#onLeft);
    clearTimeout(this.#timer);
  }

  #begin(): void {
    this.#timer = setTimeout(() => this.#cut(), this.#call.drainMs);
  }

  #cut(): void {
    this.#isCut = true;
    this.#abort?.abort();
    this.#onCut?.();
  }
}
