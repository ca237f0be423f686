/** Citations in an answer: [2], [1, 3], [2-4], and the 【2】 of some models. */

const NUMBER = "[1-9]\\d{0,2}";
const RANGE = `${NUMBER}(?:\\s?[-–]\\s?${NUMBER})?`;
/** A nought by itself is a number that no passage has; among others it is no citation: [0, 1] is an interval. */
const INSIDE = `\\s?(?:${RANGE}(?:\\s?[,;]\\s?${RANGE}){0,19}|0{1,3})\\s?`;
const CITATION = `\\[(?:${INSIDE})\\]|【(?:${INSIDE})(?:†[^】\\n]{0,40})?】`;
/** With the blank before it, which goes where the citation goes. */
const CITATIONS = new RegExp(`([ \\u00a0]?)(${CITATION})`, "g");
/** What may become a citation with the next piece: as long as the longest one, no longer. */
const BEGUN =
  /[ \u00a0]?(?:\[[\d\s,;\u2013-]{0,240}|\u3010[\d\s,;\u2013-]{0,240}(?:\u2020[^\u3011\n]{0,40})?)$|[ \u00a0]$/;

/** The text without anything that reads as a citation, e.g. the footnotes of a quoted sentence. */
export const withoutCitations = (text: string): string => text.replace(CITATIONS, "");

/** The numbers of one citation, ranges told one by one. */
function numbersIn(citation: string): number[] {
  return citation
    .slice(1, -1)
    .replace(/\u2020.*$/, "")
    .split(/[,;]/)
    .flatMap((part) => {
      const [from = 0, to = from] = part.split(/[-\u2013]/).map(Number);
      const each = to - from;
      return each >= 0 && each < 1000 ? Array.from({ length: each + 1 }, (_, i) => from + i) : [from, to];
    });
}

/**
 * Lets an answer through piece by piece, less the citations of numbers that no passage has; whatever the pieces, the same
 * text comes out. Holds back the beginning of a citation at most. Code is left as it is: it has brackets of its own.
 */
export class CitationFilter {
  /** Numbers that were cited and that passages have. */
  readonly cited = new Set<number>();
  /** Numbers that were taken out. */
  readonly invented = new Set<number>();
  readonly #passages: number;
  #held = "";
  /** The backticks that opened the code the text is in. */
  #code = "";

  /** @param passages how many there are, numbered from 1 */
  constructor(passages: number) {
    this.#passages = passages;
  }

  /** Takes a piece; returns what can be told by now. */
  push(piece: string): string {
    return this.#tell(this.#held + piece, false);
  }

  /** Returns what was held back, when the answer is over. */
  end(): string {
    return this.#tell(this.#held, true);
  }

  #tell(text: string, last: boolean): string {
    let out = "";
    let rest = text;
    for (;;) {
      const { upTo, ticks } = this.#code === "" ? opening(rest) : closing(rest, this.#code);
      // Backticks at the end may be the first of more.
      const undecided = !last && ticks !== "" && upTo + ticks.length === rest.length;
      if (upTo === rest.length || undecided) {
        const keep = undecided ? upTo : last || this.#code !== "" ? rest.length : begun(rest);
        this.#held = rest.slice(keep);
        return out + this.#checked(rest.slice(0, keep));
      }
      out += this.#checked(rest.slice(0, upTo)) + ticks;
      rest = rest.slice(upTo + ticks.length);
      this.#code = this.#code === "" ? ticks : "";
    }
  }

  #checked(text: string): string {
    if (this.#code !== "") return text;
    return text.replace(CITATIONS, (whole, blank: string, citation: string) => {
      const numbers = [...new Set(numbersIn(citation))];
      const isReal = (n: number): boolean => n >= 1 && n <= this.#passages;
      const real = numbers.filter(isReal);
      for (const n of numbers) (isReal(n) ? this.cited : this.invented).add(n);
      if (real.length === numbers.length) return whole;
      return real.length > 0 ? `${blank}[${real.join(", ")}]` : "";
    });
  }
}

interface Border {
  /** Where the text before it ends; the text's length when there is none. */
  upTo: number;
  /** The border itself: backticks, or nothing at the end of a line. */
  ticks: string;
}

function opening(text: string): Border {
  const found = /`+/.exec(text);
  return found ? { upTo: found.index, ticks: found[0] } : { upTo: text.length, ticks: "" };
}

/** A fence ends with as many backticks or more; code in a line with just as many, or with the line. */
function closing(text: string, code: string): Border {
  for (const found of text.matchAll(code.length < 3 ? /`+|\n/g : /`+/g)) {
    const [ticks] = found;
    const unsure = found.index + ticks.length === text.length && ticks !== "\n";
    const closes = code.length < 3 ? ticks === code || ticks === "\n" : ticks.length >= code.length;
    if (closes || unsure) return { upTo: found.index, ticks };
  }
  return { upTo: text.length, ticks: "" };
}

function begun(text: string): number {
  const at = text.search(BEGUN);
  return at < 0 ? text.length : at;
}
