import { WaypostError } from "../../errors.ts";
import type { TokenUsage } from "../../ledger/money.ts";
import { dialects } from "../../models/dialects/dialects.ts";
import type { StreamEncoder } from "../../models/dialects/types.ts";
import { Delivered } from "../../models/routing/attempts.ts";
import type { Call } from "../define.ts";
import type { Job } from "./answer.ts";
import { factsOf } from "./facts.ts";

/**
 * Ends a call whose answer broke off, in the dialect's own words when a part of it was sent. A provider that failed is free;
 * a caller who left, or whose time was up, pays for what was produced. `encoder`: of the part that was sent, where there is one.
 */
export async function brokeOff(
  call: Call,
  job: Job,
  error: WaypostError,
  usage: TokenUsage | undefined,
  begun: boolean,
  encoder?: StreamEncoder,
): Promise<never> {
  const { info } = job.plan;
  const cancelled = error.code === "client_closed";
  const late = cancelled && call.signal.aborted && (call.signal.reason as Error).name === "TimeoutError";
  const shown = late
    ? new WaypostError(
        begun ? "deadline_exceeded" : "provider_timeout",
        `${info.id} had not finished when the call's time was up.`,
      )
    : error;
  if (begun) {
    const words = (encoder ?? dialects[job.dialect].encodeStream(factsOf(call, job))).fail(shown);
    // What was sent may have ended amid an event.
    await call.emit({ type: "bytes", bytes: new TextEncoder().encode(`\n\n${words}`) });
  }
  if (!cancelled || !begun || !usage) {
    call.tried(info.id, shown.code);
    throw begun ? new Delivered(shown.code, shown.detail, shown.extras) : shown;
  }
  call.charge(usage, { model: info.id, estimated: true });
  return call.failBilled(shown.code, shown.detail, shown.extras);
}
