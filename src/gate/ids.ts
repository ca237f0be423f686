/** Random characters that tell this isolate from all others; drawn at the first call, since a module may not draw any. */
let isolate = "";
let count = 0;
/** Ids of one isolate differ by their number; it has a fixed width, so that they stay in the order of time within a millisecond. */
const WIDTH = 6;
const TURN = 36 ** WIDTH;
/** Many ids have their millisecond in common. */
let last = { ms: 0, text: "" };

/** Unique, and in the order of time, so that rows keyed by it are appended and not scattered. Nothing is let in by knowing one. */
export function newId(kind: "call" | "req"): string {
  isolate ||= crypto.randomUUID().slice(19).replaceAll("-", "");
  count = (count + 1) % TURN;
  const ms = Date.now();
  if (ms !== last.ms) last = { ms, text: ms.toString(36) };
  return `${kind}_${last.text}${(count + TURN).toString(36).slice(1)}${isolate}`;
}
