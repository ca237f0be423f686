/**
 * Words as the index sees them. The index itself tokenizes with FTS5's `porter unicode61`; what is here agrees with it
 * closely enough to know which words of a passage a query met.
 */

/** A word of a text: folded to lower case without diacritics, with its place in UTF-16 code units. */
export interface Token {
  word: string;
  start: number;
  end: number;
}

// Patterns of Unicode classes stand in functions: each takes a start a quarter of a millisecond to read, and few calls need one.

/** Runs of letters, digits and marks, as `unicode61` splits a text. */
export const wordsOf = (text: string) => text.matchAll(/[\p{L}\p{N}\p{M}\p{Co}]+/gu);

const plainAscii = /^[a-z0-9]*$/;

/** Lower case without diacritics: `Café` and `cafe` are one word, as in the index. */
export function fold(word: string): string {
  const lower = word.toLowerCase();
  if (plainAscii.test(lower)) return lower;
  return lower.normalize("NFD").replace(/\p{Mn}+/gu, "");
}

/** The words of a text in order. */
export function tokenize(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of wordsOf(text)) {
    const word = fold(match[0]);
    if (word) tokens.push({ word, start: match.index, end: match.index + match[0].length });
  }
  return tokens;
}

export function countWords(text: string): number {
  let words = 0;
  for (const _ of wordsOf(text)) words++;
  return words;
}

/**
 * What is inside the words of a text and would otherwise not be found: the parts of camelCase names, the joined form of
 * snake_case names (their parts are words already), and the character pairs of scripts written without spaces.
 */
export function subwords(text: string): string[] {
  const mixedCase = /\p{Ll}\p{Lu}|\p{Lu}\p{Lu}\p{Ll}|\p{L}\p{N}+\p{L}/u;
  const parts: string[] = [];
  for (const [name] of text.matchAll(/[\p{L}_$][\p{L}\p{N}_$]*/gu)) {
    if (name.includes("_")) {
      const joined = name.replaceAll(/[_$]/g, "");
      if (joined.length < name.length && /[^_$]_[^_$]/.test(name)) parts.push(joined.toLowerCase());
    }
    if (!mixedCase.test(name)) continue;
    for (const [part] of name.matchAll(/\p{Lu}+(?!\p{Ll})|\p{Lu}?[\p{Ll}\p{Lo}]+|\p{N}+/gu)) {
      if (part.length > 1) parts.push(part.toLowerCase());
    }
  }
  for (const [run] of text.matchAll(/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]{2,}/gu)) {
    const characters = [...run];
    for (let i = 0; i + 1 < characters.length; i++) parts.push(`${characters[i]}${characters[i + 1]}`);
  }
  return parts;
}
