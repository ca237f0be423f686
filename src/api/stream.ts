import { toProblem } from "../errors.ts";
import type { CallOutcome } from "../gate/gate.ts";
import type { CallEvent } from "../tools/define.ts";

const KEEP_ALIVE_MS = 15_000;

/** Where a streamed call puts its events, and the answer they become. */
export interface EventStream {
  emit: (event: CallEvent) => void;
  /**
   * The response: an event stream from the first event on. A call that ends before it emitted anything is handed to
   * `plain`, so that a refusal keeps its status.
   */
  response: (
    outcome: Promise<CallOutcome>,
    requestId: string,
    plain: (outcome: CallOutcome) => Response,
    headers: Record<string, string>,
  ) => Promise<Response>;
}

/** Server-sent events (WHATWG HTML 9.2): `delta` {text}, `progress`, then one `done` {the result} or `error` {a problem}. */
export function eventStream(): EventStream {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(undefined, { highWaterMark: 64 });
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  let started = () => {};
  const firstEvent = new Promise<"event">((resolve) => {
    started = () => resolve("event");
  });
  // A client that left makes every write fail; the call goes on without it.
  const write = (text: string) => void writer.write(encoder.encode(text)).catch(() => {});
  const send = (event: string, data: unknown) => write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

  return {
    emit(event) {
      const { type, ...data } = event;
      send(type, data);
      started();
    },
    async response(outcome, requestId, plain, headers) {
      const first = await Promise.race([firstEvent, outcome]);
      if (first !== "event") return plain(first);
      const keepAlive = setInterval(() => write(": waiting\n\n"), KEEP_ALIVE_MS);
      outcome.then((end) => {
        clearInterval(keepAlive);
        if (end.ok) send("done", end.output);
        else send("error", toProblem(end.error, requestId));
        writer.close().catch(() => {});
      });
      return new Response(readable, {
        headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", ...headers },
      });
    },
  };
}
