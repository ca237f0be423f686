import type { QueryTerm } from "./match.ts";
import { stem } from "./stem.ts";
import { foldWord, pairs, wordsOf } from "./tokens.ts";
import { charactersOf } from "./unspaced.ts";

/** A query word met in a text. */
export interface Occurrence {
  /** Index of the query term. */
  term: number;
  /** Number of the word in the text. */
  position: number;
  /** UTF-16 code units. */
  start: number;
  end: number;
}

/**
 * Finds the terms of one query in any number of texts, in order. Texts share most of their words, so each different word
 * is stemmed once.
 */
export function occurrenceFinder(terms: readonly QueryTerm[]): (text: string) => Occurrence[] {
  const termOf = new Map(terms.map((term, i) => [term.stem, i]));
  // Stemming keeps how a word begins, and few words begin like one of the query: most need not be stemmed.
  const openings = new Set([...termOf.keys()].map((root) => root.slice(0, 2)));
  const known = new Map<string, number>();
  const lookUp = (word: string): number => {
    const folded = foldWord(word);
    const term = openings.has(folded.slice(0, 2)) ? (termOf.get(stem(folded)) ?? -1) : -1;
    known.set(word, term);
    return term;
  };
  const heads = new Set(terms.map(({ word }) => charactersOf(word)[0] ?? ""));
  return (text) => {
    const found: Occurrence[] = [];
    let position = 0;
    for (const match of wordsOf(text)) {
      const [word, run] = match;
      if (run === undefined) {
        position++;
        const term = known.get(word) ?? lookUp(word);
        if (term >= 0) found.push({ term, position, start: match.index, end: match.index + word.length });
        continue;
      }
      for (const { word: pair, first, n, start, end } of pairs(run, match.index, heads)) {
        for (const each of new Set([pair, first])) {
          const term = termOf.get(each);
          if (term !== undefined) found.push({ term, position: position + 1 + n, start, end });
        }
      }
      position += run.length;
    }
    return found;
  };
}
