import type { AnswerLog } from "./answer_log.ts";
import type { Frames } from "./frames.ts";

/** Most characters of a frame: what a slow reader missed is joined up to here. */
const FRAME = 16_384;

export interface Reading {
  log: AnswerLog;
  from: number;
  frames: Frames;
  /** The last bytes for this reader, once there are some; nothing of the log comes after them. */
  last: () => string | undefined;
  /** Least time between two frames. */
  paceMs?: number;
  /** After so long without a word a comment is sent: a silent connection is cut by proxies, and nobody sees its client leave. */
  keepAliveMs: number;
  /** Called once, when the reader has all of it, or has left. */
  closed: () => void;
}

/**
 * A stream of a log from a place on, for one reader. It holds one frame at a time: a reader that is slow is given more at
 * once, not more to keep.
 */
export function readerOf({
  log,
  from,
  frames,
  last,
  paceMs = 0,
  keepAliveMs,
  closed,
}: Reading): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let place = from;
  let begun = false;
  let saidAt = 0;
  let wake = () => {};
  const unwatch = log.watch(() => wake());

  /** Until something was added, or the time is up. */
  const change = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(() => wake(), ms);
      wake = () => {
        clearTimeout(timer);
        wake = () => {};
        resolve();
      };
    });

  async function next(): Promise<{ text: string; over: boolean }> {
    for (;;) {
      const rest = paceMs - (Date.now() - saidAt);
      const end = last();
      const found = end !== undefined || rest <= 0 ? log.read(place, FRAME) : undefined;
      if (found) {
        place = found.next;
        return { text: frames.entry(found.entry, found.next), over: false };
      }
      if (end !== undefined) return { text: end, over: true };
      const silent = Date.now() - saidAt;
      if (silent >= keepAliveMs) return { text: frames.waiting, over: false };
      await change(place < log.length && rest > 0 ? rest : keepAliveMs - silent);
    }
  }

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (!begun) {
          begun = true;
          saidAt = Date.now() - paceMs;
          const first = frames.begin(place);
          if (first !== "") return controller.enqueue(encoder.encode(first));
        }
        const { text, over } = await next();
        saidAt = Date.now();
        controller.enqueue(encoder.encode(text));
        if (!over) return;
        unwatch();
        controller.close();
        closed();
      },
      cancel() {
        unwatch();
        wake();
        closed();
      },
    },
    { highWaterMark: 0 },
  );
}
