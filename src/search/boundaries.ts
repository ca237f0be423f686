import { pattern } from "../pattern.ts";

/** Where a text may be cut, best first. Each pattern ends where the next piece begins. */
export type Boundaries = readonly (() => RegExp)[];

const emptyLine = pattern(String.raw`\n\s*\n`, "g");
const line = pattern(String.raw`\n`, "g");
const space = pattern(String.raw`\s+`, "g");
const sentence = pattern("[.!?…。！？]['\")\\]]*\\s+|[。！？]", "g");
/** A definition at the margin after an empty line. */
const definition = pattern(String.raw`\n\s*\n(?=\S)(?![)}\]])`, "g");

export const proseBoundaries: Boundaries = [emptyLine, line, sentence, space];
export const codeBoundaries: Boundaries = [definition, emptyLine, line, space];

/**
 * Cuts text[start, end) into pieces of about `target` characters, at the best boundary near each even share.
 * Returns the ends of the pieces, ascending, the last one being `end`.
 */
export function cutEvenly(text: string, start: number, end: number, target: number, boundaries: Boundaries): number[] {
  const ends: number[] = [];
  let from = start;
  while (end - from > target * 1.5) {
    const pieces = Math.ceil((end - from) / target);
    const ideal = from + (end - from) / pieces;
    from = bestCut(text, from, Math.round(ideal), Math.round(target * 0.4), boundaries);
    ends.push(from);
  }
  ends.push(end);
  return ends;
}

function bestCut(text: string, from: number, ideal: number, slack: number, boundaries: Boundaries): number {
  const low = Math.max(from + 1, ideal - slack);
  const window = text.slice(low, ideal + slack);
  for (const boundary of boundaries) {
    let best = -1;
    for (const match of window.matchAll(boundary())) {
      const cut = low + match.index + match[0].length;
      if (best < 0 || Math.abs(cut - ideal) < Math.abs(best - ideal)) best = cut;
    }
    if (best > 0) return best;
  }
  return wholeCharacter(text, ideal);
}

/** The offset, moved back by one when it would part a surrogate pair. */
export function wholeCharacter(text: string, offset: number): number {
  const code = text.charCodeAt(offset);
  const before = text.charCodeAt(offset - 1);
  return code >= 0xdc00 && code <= 0xdfff && before >= 0xd800 && before <= 0xdbff ? offset - 1 : offset;
}
