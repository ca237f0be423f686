/** How much of an event that has not ended is held back until its end is there. No report or error is longer. */
const MOST_HELD = 64 * 1024;
/** What is remembered of a longer one, which is sent on as it comes: its kind stands at the beginning, reports near the end. */
const HEAD = 256;
const TAIL = 32 * 1024;

const NONE = new Uint8Array(0);
/** Two line ends in a row; a CR at the very end may be half of one. */
const BLANK_LINE = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/g;

/** What is done with an event: sent on, left out, or the stream ends before it. */
export type Verdict = "keep" | "drop" | "stop";

/**
 * Judges the event that stands in `text` from `from` to `end`. The text goes on with the events that came with it, so that
 * what none of them holds is looked for once. `whole`: false for the beginning and end of one that was too long to hold.
 */
export type Look = (text: string, from: number, end: number, whole: boolean) => Verdict;

/**
 * Looks at server-sent events as they pass, without changing a byte of them. Events are shown as text with one character a
 * byte, so that finding something in them costs next to nothing.
 */
export class PassingEvents {
  readonly #look: Look;
  /** Bytes of the event that has not ended. */
  #held: Uint8Array = NONE;
  /** The event's beginning was sent already; this is the first and the last of that. */
  #head = "";
  #tail: string | undefined;
  #stopped = false;

  constructor(look: Look) {
    this.#look = look;
  }

  /** `look` said `stop`: nothing is let through any more. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** What may be sent on, in order, now that these bytes have come. */
  push(bytes: Uint8Array): Uint8Array[] {
    return this.#read(this.#held.length === 0 ? bytes : joined(this.#held, bytes), false);
  }

  /** What is left when the stream has ended: an event without its blank line counts as one. */
  end(): Uint8Array[] {
    return this.#read(this.#held, true);
  }

  #read(bytes: Uint8Array, last: boolean): Uint8Array[] {
    this.#held = NONE;
    if (this.#stopped || bytes.length === 0) return [];
    const text = latin1(bytes);
    const blank = text.includes("\r") ? slowBlank : quickBlank;
    const out: Uint8Array[] = [];
    let sent = 0;
    let from = 0;
    const upTo = (end: number): void => {
      if (end > sent) out.push(sent === 0 && end === bytes.length ? bytes : bytes.subarray(sent, end));
    };
    while (from < text.length) {
      let end = blank(text, from);
      if (end < 0 || (end === text.length && text[end - 1] === "\r")) end = last ? text.length : -1;
      if (end < 0) break;
      const verdict = this.#judge(text, from, end);
      if (verdict !== "keep") {
        upTo(from);
        sent = end;
      }
      from = end;
      if (verdict !== "stop") continue;
      this.#stopped = true;
      return out;
    }
    if (this.#tail === undefined && text.length - from <= MOST_HELD) {
      upTo(from);
      // A copy, so that what was sent can be let go.
      this.#held = from < bytes.length ? bytes.slice(from) : NONE;
      return out;
    }
    // A long event: its beginning is let go, but for what may be the first half of its last line ends.
    const end = Math.max(from, text.length - lineEnds(text));
    upTo(end);
    if (this.#tail === undefined) this.#head = text.slice(from, from + HEAD);
    this.#tail = `${this.#tail ?? ""}${text.slice(from, end)}`.slice(-TAIL);
    this.#held = bytes.slice(end);
    return out;
  }

  #judge(text: string, from: number, end: number): Verdict {
    if (this.#tail === undefined) return this.#look(text, from, end, true);
    const known = this.#head + this.#tail + text.slice(from, end);
    this.#tail = undefined;
    // Its beginning has gone out, so the rest must.
    return this.#look(known, 0, known.length, false) === "stop" ? "stop" : "keep";
  }
}

/** Where the event ends that begins at `from`: after its blank line. -1: not here. */
function quickBlank(text: string, from: number): number {
  const at = text.indexOf("\n\n", from);
  return at < 0 ? -1 : at + 2;
}

function slowBlank(text: string, from: number): number {
  BLANK_LINE.lastIndex = from;
  return BLANK_LINE.test(text) ? BLANK_LINE.lastIndex : -1;
}

/** How many of a text's last characters are line ends. */
function lineEnds(text: string): number {
  let at = text.length;
  while (at > 0 && (text[at - 1] === "\n" || text[at - 1] === "\r")) at--;
  return text.length - at;
}

/** One character a byte. */
export function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/** The text that such characters stand for. */
export const utf8 = (text: string): string => Buffer.from(text, "latin1").toString("utf8");

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
