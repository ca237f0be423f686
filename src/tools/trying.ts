import type { TryingCall } from "../models/routing/attempts.ts";
import type { Call } from "./define.ts";

interface Wish {
  /** The answer is stored, so it is wanted even when nobody waits for it. */
  kept: boolean;
  /** The caller left the choice to the rules. */
  auto: boolean;
}

/** A call as those see it who try one model after the other. */
export const tryingOf = (call: Call, wish: Wish): TryingCall => new Trying(call, wish);

class Trying implements TryingCall {
  readonly account: string;
  readonly deadline: number;
  readonly auto: boolean;
  readonly #call: Call;
  readonly #kept: boolean;

  constructor(call: Call, { kept, auto }: Wish) {
    this.account = call.principal.account;
    this.deadline = call.deadline;
    this.auto = auto;
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
