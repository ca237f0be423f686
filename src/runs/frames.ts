import type { Entry } from "./answer_log.ts";
import { eventId, type Line } from "./wire.ts";

/** How a reader is told what a log holds. Every method may give "". */
export interface Frames {
  /** The first bytes. */
  begin(place: number): string;
  entry(entry: Entry, next: number): string;
  waiting: string;
}

/** Milliseconds after which a client that lost its stream should come back. */
const RETRY_MS = 1_000;

/** Server-sent events (WHATWG HTML 9.2): `delta` {text} and `progress`, each with the id to come back with. */
export function sseFrames(callId: string): Frames {
  return {
    begin: (place) => `retry: ${RETRY_MS}\nid: ${eventId(callId, place)}\n\n`,
    entry: (entry, next) =>
      "text" in entry
        ? sse("delta", { text: entry.text }, eventId(callId, next))
        : sse("progress", entry.progress, eventId(callId, next)),
    waiting: ": waiting\n\n",
  };
}

export const sse = (event: string, data: unknown, id: string): string =>
  `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;

/** One JSON a line. */
export const lineFrames: Frames = {
  begin: () => "",
  entry: (entry) => line("text" in entry ? { delta: entry.text } : { progress: entry.progress }),
  waiting: `${JSON.stringify({ waiting: true } satisfies Line)}\n`,
};

export const line = (value: Line): string => `${JSON.stringify(value)}\n`;
