import { stem } from "../../src/search/stem.ts";
import { isStopword } from "../../src/search/stopwords.ts";
import { subwords, tokenize } from "../../src/search/tokens.ts";

/** BM25 over a handful of short texts, with the words and stems of the product's own search. */

const K1 = 1.2;
const B = 0.75;

export interface Ranked {
  name: string;
  score: number;
}

/** Ranks named texts for a query, best first; those that share no word with it score 0. */
export function bm25(texts: Readonly<Record<string, string>>): (query: string) => Ranked[] {
  const documents = Object.entries(texts).map(([name, text]) => ({ name, words: termsOf(text) }));
  const mean = documents.reduce((sum, { words }) => sum + words.length, 0) / documents.length;
  const weight = (term: string): number => {
    const n = documents.filter(({ words }) => words.includes(term)).length;
    return Math.log(1 + (documents.length - n + 0.5) / (n + 0.5));
  };
  return (query) => {
    const terms = new Set(termsOf(query));
    return documents
      .map(({ name, words }) => {
        let score = 0;
        for (const term of terms) {
          const often = words.filter((word) => word === term).length;
          if (often === 0) continue;
          score += (weight(term) * often * (K1 + 1)) / (often + K1 * (1 - B + (B * words.length) / mean));
        }
        return { name, score };
      })
      .sort((a, b) => b.score - a.score);
  };
}

function termsOf(text: string): string[] {
  const words = tokenize(text).map(({ word }) => word);
  return [...words, ...subwords(text)].filter((word) => !isStopword(word)).map(stem);
}
