import type { TryingCall } from "../models/routing/attempts.ts";
import type { Call } from "./define.ts";

/**
 * A call as those see it who try one model after the other. `kept`: the answer is stored, so it is wanted even when nobody
 * waits for it. `auto`: the caller left the choice to the rules.
 */
export function tryingOf(call: Call, { kept, auto }: { kept: boolean; auto: boolean }): TryingCall {
  const { left } = call;
  return {
    account: call.principal.account,
    deadline: call.deadline,
    auto,
    passedOver: (model) => call.tried(model, "passed_over"),
    get signal() {
      return left && !kept ? AbortSignal.any([call.signal, left]) : call.signal;
    },
  };
}
