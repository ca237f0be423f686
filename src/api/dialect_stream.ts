import type { CallOutcome } from "../gate/gate.ts";
import { DEADLINE_MS } from "../gate/gate.ts";
import type { CallEvent } from "../tools/define.ts";

const COMMENT = new TextEncoder().encode(": waiting\n\n");
const LF = 10;
const CR = 13;

/** Where a call in a dialect puts the bytes of its answer, and the response they become. */
export interface ByteStream {
  emit: (event: CallEvent) => Promise<void> | undefined;
  /** The call was admitted, and its answer is waited for. */
  admitted: () => void;
  response: (outcome: Promise<CallOutcome>, ways: Ways) => Promise<Response>;
}

/** How a call is answered. */
export interface Ways {
  /** When it ended before anything was sent: with a status of its own. */
  plain: (outcome: CallOutcome) => Response;
  /** When nothing but comments was sent before it ended: with events. */
  events: (outcome: CallOutcome) => string;
  headers: Record<string, string>;
}

/**
 * Bytes from the call to the client, no faster than the client reads. A client that left makes no write fail: the call
 * finds out by its own signal and decides what the rest is worth.
 *
 * After `keepAliveMs` without a word a comment is sent, which every reader of events passes over: proxies cut what is silent,
 * and a Worker learns only by writing that its client has gone. A provider that has not begun is given twice as long, for
 * with the comment the response begins and its status is given away.
 */
export function byteStream(keepAliveMs: number): ByteStream {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let last = COMMENT;
  let spoke = 0;
  let said = false;
  let gone = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stalledAt = Number.POSITIVE_INFINITY;
  let started = () => {};
  const first = new Promise<"bytes">((resolve) => {
    started = () => resolve("bytes");
  });
  const leave = () => {
    gone = true;
  };
  const write = (bytes: Uint8Array): Promise<void> => writer.write(bytes).catch(leave);

  /** Looks whether it is time for a comment, or for giving up a client that does not read. One timer serves all pieces. */
  const look = (): void => {
    if (gone) return;
    const now = Date.now();
    if (now >= stalledAt) {
      // It may not hold up the end of the call.
      void writer.abort("deadline").catch(leave);
      return;
    }
    if (now >= spoke + keepAliveMs) {
      spoke = now;
      started();
      if (endsEvent(last)) void write(COMMENT);
    }
    timer = setTimeout(look, Math.min(spoke + keepAliveMs, stalledAt) - now);
  };

  return {
    emit(event) {
      if (event.type !== "bytes" || gone) return undefined;
      const first = !said;
      if (first) started();
      said = true;
      last = event.bytes;
      spoke = Date.now();
      const written = write(event.bytes);
      return first ? written.then(nextTurn) : written;
    },
    admitted() {
      // As if it had spoken later: what has not begun has twice as long.
      spoke = Date.now() + keepAliveMs;
      timer = setTimeout(look, keepAliveMs);
    },
    async response(outcome, { plain, events, headers }) {
      const begun = await Promise.race([first, outcome]);
      if (begun !== "bytes") {
        clearTimeout(timer);
        return plain(begun);
      }
      stalledAt = Date.now() + DEADLINE_MS + 1_000;
      outcome.then((ended) => {
        clearTimeout(timer);
        if (!said) void write(new TextEncoder().encode(events(ended)));
        writer.close().catch(leave);
      });
      return new Response(readable, {
        headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", ...headers },
      });
    },
  };
}

/**
 * What was written leaves when nothing else is ready to run: without a pause the first words of an answer that comes at once
 * would wait until all of it was read, billed and on disk.
 */
const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** Whether what was sent ends with a blank line, so that a comment does not fall into the middle of an event. */
function endsEvent(bytes: Uint8Array): boolean {
  const at = bytes.length;
  const [before, a, b] = [bytes[at - 3], bytes[at - 2], bytes[at - 1]];
  if (b === CR) return a === CR;
  return b === LF && (a === LF || (a === CR && before === LF));
}
