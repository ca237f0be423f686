import { estimateTokens } from "../models/tokens.ts";
import type { Call } from "./define.ts";

/** How many tokens are still read for a client that left: to its end the charge is exact, but somebody pays for each. */
const DRAIN_TOKENS = 256;

/**
 * What ends a model's work: at the call's deadline, or when its client left and the rest of the answer is more
 * than is worth reading. `kept`: the answer is stored for the client to find later, so all of it is worth it.
 */
export class Leaving {
  readonly #cut: AbortController | undefined;
  readonly #call: Pick<Call, "signal" | "drainMs">;
  readonly #left: AbortSignal | undefined;
  readonly #kept: boolean;
  readonly #onLeft = () => this.#begin();
  #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #tokens = 0;

  constructor(call: Pick<Call, "signal" | "left" | "drainMs">, kept: boolean) {
    const { left } = call;
    this.#call = call;
    this.#left = left;
    this.#kept = kept;
    if (!left) return;
    this.#cut = new AbortController();
    if (left.aborted) this.#begin();
    else left.addEventListener("abort", this.#onLeft);
  }

  /** The signals that end the work, for whoever heeds several. */
  get signals(): AbortSignal[] {
    return this.#cut ? [this.#call.signal, this.#cut.signal] : [this.#call.signal];
  }

  /** All of them in one. */
  get signal(): AbortSignal {
    this.#signal ??= this.#cut ? AbortSignal.any(this.signals) : this.#call.signal;
    return this.#signal;
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
