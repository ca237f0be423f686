import { pattern } from "../pattern.ts";
import { fold } from "./fold.ts";
import { charactersOf, unspaced } from "./unspaced.ts";

/**
 * Words as the index sees them. It is given `indexed(text)`, which it parts at spaces only: so what a word is, and in which
 * form, is said here alone, for texts and for queries.
 */

/** A word of a text: folded (see `fold.ts`), with its place in UTF-16 code units. */
export interface Token {
  word: string;
  start: number;
  end: number;
  /** Of a pair of characters: the first of them. */
  first?: string;
}

/** Longer words are known by their beginning. UTF-16 code units. */
const maxWordLength = 128;

// Patterns of Unicode classes are made when they are first needed: reading one takes up to some milliseconds.

/** Letters, digits, marks; not the apostrophes that Unicode takes for letters: мʼята is parted as м'ята is. */
const letters = `[[\\p{L}\\p{N}\\p{M}\\p{Co}]--[\u02b9-\u02bf]--${unspaced}]`;
/** What nobody sees inside a word. The zero-width space ends one, and the non-joiner does in Persian. */
const joiners = "(?:[\\p{DI}--[\u200b\u200c]]|(?<!\\p{Script=Arabic})\u200c)+";
const word = pattern(`(${unspaced}+(?:${joiners}${unspaced}+)*)|${letters}+(?:${joiners}${letters}+)*`, "gv");

/** The words of a text as they stand there. Group 1 matched: a run of characters of a script written without spaces. */
export function wordsOf(text: string): IterableIterator<RegExpExecArray> {
  return text.matchAll(word());
}

/** The folded form of a word that has spaces around it, in the index as in a query. */
export const foldWord = (word: string): string => fold(word).slice(0, maxWordLength);

/** The words of a text in order. Scripts written without spaces count by pairs of characters. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of wordsOf(text)) {
    const found = tokensOf(match);
    // Behind the pairs of a run stands its last character, for the index only.
    if (found.length > 1) found.pop();
    for (const token of found) tokens.push(token);
  }
  return tokens;
}

/** What the index is given for a text: its folded words, parted by spaces. */
export function indexed(text: string): string {
  const words: string[] = [];
  for (const match of wordsOf(text)) for (const { word } of tokensOf(match)) words.push(word);
  return words.join(" ");
}

function tokensOf(match: RegExpExecArray): Token[] {
  const [text, run] = match;
  if (run !== undefined) return pairs(run, match.index);
  const word = foldWord(text);
  return word ? [{ word, start: match.index, end: match.index + text.length }] : [];
}

/** A pair of characters, or the last character of a run alone. */
export interface Pair extends Token {
  first: string;
  /** Number of the first character in its run. */
  n: number;
}

/**
 * A run of characters as its pairs and, last, its last character alone: so whatever character the run has, something begins
 * with it. With `heads` only what begins with one of them. Places are exact unless folding changed the run's length.
 */
export function pairs(run: string, start: number, heads?: ReadonlySet<string>): Pair[] {
  const found: Pair[] = [];
  const folded = fold(run);
  if (heads && ![...heads].some((head) => folded.includes(head))) return found;
  const characters = charactersOf(folded);
  const place = (offset: number): number => start + Math.round((offset * run.length) / folded.length);
  let from = 0;
  for (const [n, first] of characters.entries()) {
    if (!heads || heads.has(first)) {
      const word = first + (characters[n + 1] ?? "");
      const end = place(from + word.length);
      found.push({ word: word.slice(0, maxWordLength), start: place(from), end, first, n });
    }
    from += first.length;
  }
  return found;
}

export function countWords(text: string): number {
  let words = 0;
  for (const match of wordsOf(text)) words += match[1] === undefined ? 1 : charactersOf(match[1]).length;
  return words;
}

const names = pattern(String.raw`[\p{L}_$][\p{L}\p{N}_$]*`, "gu");
const mixedCase = pattern(String.raw`\p{Ll}\p{Lu}|\p{Lu}\p{Lu}\p{Ll}|\p{L}\p{N}+\p{L}`, "u");
const camelParts = pattern(String.raw`\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}]+|\p{N}+`, "gu");

/**
 * What is inside the names in a text and would otherwise not be found, folded: the parts of camelCase names, and the joined
 * form of snake_case names (their parts are words already).
 */
export function subwords(text: string): string[] {
  const parts: string[] = [];
  for (const [name] of text.matchAll(names())) {
    if (name.includes("_")) {
      const joined = name.replaceAll(/[_$]/g, "");
      if (joined.length < name.length && /[^_$]_[^_$]/.test(name)) parts.push(foldWord(joined));
    }
    if (!mixedCase().test(name)) continue;
    for (const [part] of name.matchAll(camelParts())) {
      if (part.length > 1) parts.push(foldWord(part));
    }
  }
  return parts.filter(Boolean);
}
