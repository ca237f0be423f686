import type { TryingCall } from "../models/routing/attempts.ts";
import type { Call } from "./define.ts";

/**
 * A call as those see it who try one model after the other. `kept`: the answer is stored, so it is wanted even when nobody
 * waits for it.
 */
export class Trying implements TryingCall {
  readonly account: string;
  readonly deadline: number;
  readonly #call: Call;
  readonly #kept: boolean;

  constructor(call: Call, kept: boolean) {
    this.account = call.principal.account;
    this.deadline = call.deadline;
    this.#call = call;
    this.#kept = kept;
  }

  passedOver(model: string): void {
    this.#call.tried(model, "passed_over");
  }

  /** Asked for after a failure only. */
  get signal(): AbortSignal {
    const { left, signal } = this.#call;
    return left && !this.#kept ? AbortSignal.any([signal, left]) : signal;
  }
}
