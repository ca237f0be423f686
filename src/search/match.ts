import { stem } from "./stem.ts";
import { isStopword } from "./stopwords.ts";
import { subwords, tokenize } from "./tokens.ts";

/** One distinct word of a query; its inflections are the same word. */
export interface QueryTerm {
  /** As the query first wrote it, folded. */
  word: string;
  stem: string;
  /** How often the query says it: a word said twice weighs twice. */
  count: number;
}

/** Longer queries keep their first words: more would cost time on every row and change no ranking. */
const maxTerms = 64;
const maxRepeats = 3;
const maxWordLength = 128;
/** Enough text to find `maxTerms` different words in anything people write. */
const maxQueryLength = 20_000;

/**
 * The words of a query that say what it is about, in order of appearance. A query of nothing but function words keeps
 * them all; one without any word gives none.
 */
export function queryTerms(query: string): QueryTerm[] {
  const words = tokenize(query.slice(0, maxQueryLength)).map((token) => token.word.slice(0, maxWordLength));
  const content = words.filter((word) => !isStopword(word));
  const terms = new Map<string, QueryTerm>();
  for (const word of content.length > 0 ? content : words) {
    const root = stem(word);
    const known = terms.get(root);
    if (known) known.count++;
    else if (terms.size < maxTerms) terms.set(root, { word, stem: root, count: 1 });
  }
  return [...terms.values()];
}

/**
 * The FTS5 MATCH expression of a query: its words and the parts of its identifiers, each quoted, joined by OR. User text
 * never reaches the expression as syntax. Empty when there is nothing to look for.
 */
export function matchExpression(query: string, terms: readonly QueryTerm[] = queryTerms(query)): string {
  const words = terms.flatMap((term) => Array<string>(Math.min(term.count, maxRepeats)).fill(term.word));
  const known = new Set(words);
  const parts = new Set(
    subwords(query.slice(0, maxQueryLength)).filter((part) => !known.has(part) && !isStopword(part)),
  );
  return [...words, ...[...parts].slice(0, maxTerms)].map(quote).join(" OR ");
}

/** Tokens hold letters, digits and marks only, so the doubling never happens; it keeps the rule local. */
const quote = (word: string): string => `"${word.replaceAll('"', '""')}"`;
