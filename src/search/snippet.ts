import type { Occurrence } from "./occurrences.ts";
import { mark } from "./unspaced.ts";

/**
 * The stretch of a text, at most about `length` characters, that meets most different query words; its beginning when it
 * meets none. White space is collapsed, and an ellipsis stands where the text goes on.
 */
export function snippet(text: string, hits: readonly Occurrence[], length: number): string {
  if (text.length <= length) return collapse(text);
  const from = start(text, hits, length);
  const to = wordEnd(text, Math.min(text.length, from + length));
  return `${from > 0 ? "… " : ""}${collapse(text.slice(from, to))}${to < text.length ? " …" : ""}`;
}

/** Where the best window begins: a little before its first match, at a word. */
function start(text: string, hits: readonly Occurrence[], length: number): number {
  let best = { from: 0, different: 0 };
  hits.forEach((first, i) => {
    const inside = new Set<number>();
    for (let j = i; j < hits.length && (hits[j] as Occurrence).end <= first.start + length * 0.8; j++) {
      inside.add((hits[j] as Occurrence).term);
    }
    if (inside.size > best.different) best = { from: first.start, different: inside.size };
  });
  const lead = Math.max(0, Math.min(best.from - Math.round(length * 0.15), text.length - length));
  return lead === 0 ? 0 : wordStart(text, lead);
}

/** Characters that are gone through for a place to cut. */
const reach = 40;

const isSpace = (text: string, at: number): boolean => /\s/.test(text.charAt(at));

function wordStart(text: string, at: number): number {
  for (let i = at; i < at + reach && i < text.length; i++) if (isSpace(text, i)) return i + 1;
  let start = at;
  while (start < at + reach && isMark(text, start)) start++;
  return isLowSurrogate(text, start) ? start + 1 : start;
}

function wordEnd(text: string, at: number): number {
  if (at === text.length) return at;
  for (let i = at; i > at - reach && i > 0; i--) if (isSpace(text, i)) return i;
  let end = at;
  while (end > at - reach && isMark(text, end)) end--;
  return isLowSurrogate(text, end) ? end - 1 : end;
}

/** Stands on the character before it, as a vowel sign does. */
const isMark = (text: string, at: number): boolean => mark().test(text.charAt(at));

const isLowSurrogate = (text: string, at: number): boolean => (text.charCodeAt(at) & 0xfc00) === 0xdc00;

const collapse = (text: string): string => text.replace(/\s+/g, " ").trim();
