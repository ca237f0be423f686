import { pattern } from "../pattern.ts";
import { stem } from "../search/stem.ts";
import { isStopword } from "../search/stopwords.ts";
import { tokenize } from "../search/tokens.ts";
import { charactersOf } from "../search/unspaced.ts";

/** Texts as sentences, and sentences as the words that carry their meaning. */

/** A quoted sentence is cut here, at a word: texts without punctuation have endless ones. */
const MAX_SENTENCE_CHARS = 600;

let segmenter: Intl.Segmenter | undefined;

/** Made when it is first needed: it takes milliseconds, which every start would pay. */
function segment(text: string): string[] {
  segmenter ??= new Intl.Segmenter("en", { granularity: "sentence" });
  return [...segmenter.segment(text)].map(({ segment }) => segment.trim());
}

const LETTER = pattern(String.raw`[\p{L}\p{N}]`, "u");

/** Sentences of a text; a line break after a blank line, a list item or a heading also ends one. */
export function splitSentences(text: string): string[] {
  return text
    .split(/\n\s*\n|\n(?=\s*(?:[-*\u2022#>]|\d+[.)])\s)|(?<=^\s*#{1,6}\s[^\n]*)\n/m)
    .flatMap((block) => segment(block.replace(/\s+/g, " ")))
    .map((sentence) => sentence.replace(/^(?:#{1,6}|[-*\u2022>])\s+/, ""))
    .filter((sentence) => LETTER().test(sentence))
    .map(cut);
}

function cut(sentence: string): string {
  if (sentence.length <= MAX_SENTENCE_CHARS) return sentence;
  const space = sentence.lastIndexOf(" ", MAX_SENTENCE_CHARS);
  return `${sentence.slice(0, space > 0 ? space : MAX_SENTENCE_CHARS).trimEnd()}…`;
}

/** Ends as a sentence does; labels and menu entries do not. */
export const isStatement = (text: string): boolean => STOP().test(text);
const STOP = pattern(`[.!…。！।۔։።။។][\\p{Pe}\\p{Pf}"']*$`, "u");

export const isQuestion = (text: string): boolean => /[?\uff1f\u061f\u037e]$/.test(text);

/** Stems of the words that carry meaning, in order; scripts written without spaces count by pairs of characters. */
export const contentWords = (text: string): string[] =>
  tokenize(text).flatMap(({ word }) => (isStopword(word) ? [] : [stem(word)]));

/** What a question can meet in a text: its content words, and the single characters of scripts written without spaces. */
export function findableWords(text: string): Set<string> {
  const words = new Set<string>();
  for (const { word, first } of tokenize(text)) {
    if (!isStopword(word)) words.add(stem(word));
    if (first) for (const character of charactersOf(word)) words.add(character);
  }
  return words;
}

/** Words that follow each other: "turn off the kettle" and "kettle is off" have none in common. */
export const neighbours = (words: readonly string[]): Set<string> =>
  new Set(words.slice(1).map((word, i) => `${words[i]} ${word}`));
