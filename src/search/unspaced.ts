import { pattern } from "../pattern.ts";

/**
 * Scripts written without spaces have no words to find. A run of their characters is indexed by its pairs of neighbours; a
 * character is a letter with the marks that stand on it. Hangul has spaces, but its particles stand on the words.
 */

const scripts =
  "Han Hiragana Katakana Hangul Bopomofo Yi Thai Lao Khmer Myanmar Tibetan Tai_Le New_Tai_Lue Tai_Tham Javanese Balinese"
    .split(" ")
    .map((script) => `\\p{Script=${script}}`)
    .join("");

/** Class of their letters and marks, with what belongs to kana but to no script: ー, ゛, ゜. For patterns with the flag `v`. */
export const unspaced = `[[[\\p{L}\\p{M}\\p{Nl}]&&[${scripts}]]ー\uff70\u3099\u309a\uff9e\uff9f]`;

/** A mark, which stands on the letter before it. */
export const mark = pattern(String.raw`\p{M}`, "u");

/** The characters of a folded run. */
export const charactersOf = (run: string): string[] =>
  mark().test(run) ? (run.match(markedCharacter()) ?? []) : [...run];
const markedCharacter = pattern(String.raw`\P{M}\p{M}*|\p{M}+`, "gu");

const loneCharacter = pattern(`^${unspaced}\\p{M}*$`, "v");

/** Whether a folded word is one character of such a script. */
export function isLoneCharacter(word: string): boolean {
  return loneCharacter().test(word);
}
