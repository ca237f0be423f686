import type { CallOutcome } from "../gate/gate.ts";
import { DEADLINE_MS } from "../gate/gate.ts";
import type { CallEvent } from "../tools/define.ts";

/** After so long without a word a comment is sent, which every reader of events passes over. */
const KEEP_ALIVE_MS = 15_000;
const COMMENT = new TextEncoder().encode(": waiting\n\n");

/** Where a call in a dialect puts the bytes of its answer, and the response they become. */
export interface ByteStream {
  emit: (event: CallEvent) => Promise<void> | undefined;
  /** The response: a stream from the first bytes on. A call that ends before keeps its status: `plain` answers for it. */
  response: (
    outcome: Promise<CallOutcome>,
    plain: (outcome: CallOutcome) => Response,
    headers: Record<string, string>,
  ) => Promise<Response>;
}

/**
 * Bytes from the call to the client, no faster than the client reads. A client that left makes no write fail: the call
 * finds out by its own signal and decides what the rest is worth.
 */
export function byteStream(): ByteStream {
  const { readable, writable } = new IdentityTransformStream();
  const writer = writable.getWriter();
  let last: Uint8Array | undefined;
  let spoke = 0;
  let gone = false;
  let started = () => {};
  const first = new Promise<"bytes">((resolve) => {
    started = () => resolve("bytes");
  });
  const leave = () => {
    gone = true;
  };
  const write = (bytes: Uint8Array): Promise<void> => writer.write(bytes).catch(leave);

  return {
    emit(event) {
      if (event.type !== "bytes" || gone) return undefined;
      if (!last) started();
      last = event.bytes;
      spoke = Date.now();
      return write(event.bytes);
    },
    async response(outcome, plain, headers) {
      const begun = await Promise.race([first, outcome]);
      if (begun !== "bytes") return plain(begun);
      const keepAlive = setInterval(() => {
        if (Date.now() - spoke < KEEP_ALIVE_MS || !last || !endsEvent(last) || gone) return;
        spoke = Date.now();
        void write(COMMENT);
      }, KEEP_ALIVE_MS);
      // A client that does not read may not hold up the end of the call.
      const stalled = setTimeout(() => void writer.abort("deadline").catch(leave), DEADLINE_MS + 1_000);
      outcome.then(() => {
        clearInterval(keepAlive);
        clearTimeout(stalled);
        writer.close().catch(leave);
      });
      return new Response(readable, {
        headers: { "Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-store", ...headers },
      });
    },
  };
}

/** Whether what was sent ends with a blank line, so that a comment does not fall into the middle of an event. */
function endsEvent(bytes: Uint8Array): boolean {
  const at = bytes.length;
  const [a, b] = [bytes[at - 2], bytes[at - 1]];
  return b === 10 && (a === 10 || (a === 13 && bytes[at - 3] === 10));
}
