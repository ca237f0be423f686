import { LONGEST, mayGrow, WRITTEN } from "./placeholders.ts";

/** Characters before a placeholder that decide whether it is one. */
const BEFORE = 2;

/**
 * Puts the private values back into an answer that comes in pieces. Holds back what may be the beginning of a
 * placeholder, at most some twenty characters; what was put back is not looked at again.
 */
export class Restorer {
  readonly #values: ReadonlyMap<string, string>;
  /** Text that came and has not been given out, after the last characters that were. */
  #held = "";
  #before = "";

  /** `values` by placeholder without brackets: EMAIL_1. */
  constructor(values: ReadonlyMap<string, string>) {
    this.#values = values;
  }

  /** Takes a piece; returns what can be given out by now, perhaps nothing. */
  push(piece: string): string {
    if (this.#values.size === 0) return piece;
    return this.#advance(this.#held + piece, false);
  }

  /** The rest, when no piece follows. */
  end(): string {
    return this.#advance(this.#held, true);
  }

  #advance(text: string, last: boolean): string {
    const source = this.#before + text;
    let done = this.#before.length;
    let out = "";
    for (const match of source.matchAll(WRITTEN)) {
      if (match.index < done) continue;
      const end = match.index + match[0].length;
      // What follows may make it something else: more digits, or the address of a link.
      if (!last && end >= source.length - 1) break;
      const value = this.#values.get(keyOf(match));
      if (value === undefined) continue;
      // A link keeps its brackets: [EMAIL_1](mailto:[EMAIL_1]).
      const link = match[1] !== undefined && source[end] === "(";
      out += source.slice(done, match.index) + (link ? `[${value}]` : value);
      done = end;
    }
    const until = last ? source.length : Math.max(done, openEnd(source, done));
    out += source.slice(done, until);
    this.#before = source.slice(Math.max(0, until - BEFORE), until);
    this.#held = source.slice(until);
    return out;
  }
}

const keyOf = (match: RegExpExecArray): string =>
  `${(match[1] ?? match[3] ?? "").toUpperCase()}_${Number(match[2] ?? match[4])}`;

/** Where the end of the text begins that may become a placeholder, or is one with too little after it. */
function openEnd(source: string, from: number): number {
  for (let i = Math.max(from, source.length - LONGEST); i < source.length; i++) {
    const rest = source.slice(i);
    if (!/^[[\\A-Za-z]/.test(rest)) continue;
    if (mayGrow(rest) || (mayGrow(rest.slice(0, -1)) && /_\d/.test(rest))) return i;
  }
  return source.length;
}
