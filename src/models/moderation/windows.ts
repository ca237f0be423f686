import type { Verdict } from "./types.ts";

/** New text that is worth a verdict of its own, in characters. */
const WINDOW = 600;
/** Text that was judged and waits for the next verdict, so that what begins in it is seen whole before any of it is shown. */
const TAIL = 120;
/** Text shown before that is judged again as context. */
const CONTEXT = 400;

/** Raised by `Windows` in place of the rest of an answer. */
export class Flagged extends Error {
  readonly verdict: Verdict;
  /** The text that was judged, none of whose new part was shown. */
  readonly text: string;

  constructor(verdict: Verdict, text: string) {
    super("flagged");
    this.verdict = verdict;
    this.text = text;
  }
}

/**
 * An answer that is judged while it comes. Text is given out only after a verdict that saw it, and the last `TAIL`
 * characters only after the next one; so what is shown lags up to WINDOW + TAIL characters behind.
 */
export class Windows {
  readonly #judge: (text: string) => Promise<Verdict>;
  /** What was shown lately. */
  #shown = "";
  /** Judged once, not shown. */
  #tail = "";
  #fresh = "";

  constructor(judge: (text: string) => Promise<Verdict>) {
    this.#judge = judge;
  }

  /** Takes a piece; returns what may be shown by now: nothing before the end unless somebody reads along. @throws Flagged */
  async push(piece: string, readAlong: boolean): Promise<string> {
    this.#fresh += piece;
    if (!readAlong || this.#fresh.length < WINDOW) return "";
    return this.#release(true);
  }

  /** The rest. @throws Flagged */
  async end(): Promise<string> {
    return this.#fresh ? this.#release(false) : this.#tail;
  }

  async #release(more: boolean): Promise<string> {
    const waiting = this.#tail + this.#fresh;
    const text = this.#shown + waiting;
    const verdict = await this.#judge(text);
    if (verdict.flagged) throw new Flagged(verdict, text);
    const cut = more ? cutBefore(waiting, waiting.length - TAIL) : waiting.length;
    this.#tail = waiting.slice(cut);
    this.#fresh = "";
    this.#shown = (this.#shown + waiting.slice(0, cut)).slice(-CONTEXT);
    return waiting.slice(0, cut);
  }
}

/** The last white space before a place, so that no word is cut; the place itself when there is none near. */
function cutBefore(text: string, at: number): number {
  for (let i = at; i > Math.max(0, at - TAIL); i--) if (/\s/.test(text[i] as string)) return i;
  return at;
}
