import type { Context } from "hono";
import { WaypostError } from "../errors.ts";
import { type CallOutcome, type CallRequest, identify } from "../gate/gate.ts";
import { outcomeHeaders, requestIdOf } from "../gate/headers.ts";
import { readCredential } from "../gate/identify.ts";
import type { Http } from "../gate/route.ts";
import { formatUsd } from "../ledger/money.ts";
import { announce, cancel, resume, stream } from "../runs/doors.ts";
import { sse, sseFrames } from "../runs/frames.ts";
import { eventId, parseEventId } from "../runs/wire.ts";
import { permitted } from "./permitted.ts";
import { failureResponse } from "./problem.ts";

/**
 * A call whose events are wanted: server-sent events from the first one on. A call that ends before it said anything is
 * handed to `plain`, so that a refusal keeps its status. A repeated one is answered with the events of the kept answer, from
 * `Last-Event-ID` on where that stream was cut.
 */
export async function streamed(
  c: Context<Http>,
  call: CallRequest,
  plain: (outcome: CallOutcome) => Response,
): Promise<Response> {
  const { tool, credential, requestId } = call;
  const { idempotencyKey, input } = call;
  const last = idempotencyKey === undefined ? null : parseEventId(c.req.header("last-event-id"));
  if (last && idempotencyKey !== undefined) {
    const { user } = permitted(await identify(c.env, credential), "chat");
    const repeats = { idempotencyKey, input };
    const going = await resume(c.env, credential.account, { ...last, user, requestId, repeats });
    if (going) return going;
  }
  const { emit: _, left: __, cancel: ___, keepIn: ____, admitted: _____, ...asked } = call;
  const begun = await stream(c.env, { ...asked, tool: tool.name, as: "sse", streamed: true }, c.req.raw.signal);
  if (begun instanceof Response) return begun;
  const after = last?.callId === begun.callId ? last.after : 0;
  return rest(begun, after, requestId) ?? plain(begun);
}

/** What a client has not read of an answer that the ledger kept, all of it when it read none; null when that cannot be said. */
function rest(outcome: CallOutcome, after: number, requestId: string): Response | null {
  if (!outcome.ok || !outcome.replayed) return null;
  const { text } = outcome.output as { text?: unknown };
  if (typeof text !== "string" || after > text.length) return null;
  const frames = sseFrames(outcome.callId);
  const missed = text.slice(after);
  const body = [
    frames.begin(after),
    missed === "" ? "" : frames.entry({ at: after, text: missed }, text.length),
    sse("done", outcome.output, eventId(outcome.callId, text.length)),
  ];
  return new Response(body.join(""), {
    headers: {
      "Content-Type": "text/event-stream; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Waypost-Call-Id": outcome.callId,
      ...outcomeHeaders(outcome, requestId),
    },
  });
}

/** Tells the devices that listen to a session of an answer they saw nothing of. The caller does not wait for it. */
export function announced(c: Context<Http>, { credential }: CallRequest, outcome: CallOutcome & { ok: true }): void {
  const { id, session_id } = outcome.output as { id?: unknown; session_id?: unknown };
  if (typeof id !== "string" || typeof session_id !== "string" || outcome.replayed) return;
  const told = announce(c.env, credential.account, session_id, outcome.callId, id);
  c.executionCtx.waitUntil(told.catch(() => {}));
}

/** `GET /v1/chat/{call_id}/events`: a stream taken up again, while the call runs or its answer is kept. */
export const readEvents = answering(async (c, requestId) => {
  const credential = await readCredential(c.req.raw, c.env, "v1", requestId);
  const { user } = permitted(await identify(c.env, credential), "chat");
  const callId = c.req.param("call_id") ?? "";
  const header = c.req.header("last-event-id");
  const last = header === undefined ? { callId, after: 0 } : parseEventId(header);
  if (last?.callId !== callId) {
    throw new WaypostError("invalid_header", "Last-Event-ID is not an id of an event of this call.");
  }
  const going = await resume(c.env, credential.account, { ...last, user, requestId });
  if (!going) throw gone(callId);
  return going;
});

/** `DELETE /v1/chat/{call_id}`: ends a call. What was produced is billed. */
export const cancelCall = answering(async (c, requestId) => {
  const credential = await readCredential(c.req.raw, c.env, "v1", requestId);
  const { user } = permitted(await identify(c.env, credential), "chat");
  const callId = c.req.param("call_id") ?? "";
  const ended = await cancel(c.env, credential.account, { callId, user });
  if (!ended) throw gone(callId);
  const { call_id, cancelled, cost_nano } = ended;
  const body = { call_id, cancelled, cost: { nano_usd: cost_nano, usd: formatUsd(cost_nano) } };
  return c.json(body, 200, { "X-Request-Id": requestId });
});

const gone = (callId: string): WaypostError =>
  new WaypostError("answer_gone", `No call ${callId.slice(0, 80)} runs or is kept for you.`);

function answering(handler: (c: Context<Http>, requestId: string) => Promise<Response>) {
  return async (c: Context<Http>): Promise<Response> => {
    const requestId = requestIdOf(c.req.raw.headers);
    try {
      return await handler(c, requestId);
    } catch (error) {
      return failureResponse(error, requestId);
    }
  };
}
