import { stem } from "./stem.ts";
import { isStopword } from "./stopwords.ts";
import { subwords, type Token, tokenize } from "./tokens.ts";
import { isLoneCharacter } from "./unspaced.ts";

/** One distinct word of a query, or pair of characters (see `unspaced.ts`); its English inflections are the same word. */
export interface QueryTerm {
  /** As the query first wrote it, folded. */
  word: string;
  stem: string;
  /** How often the query says it: a word said twice weighs twice. */
  count: number;
  /** Of a pair whose first character ended another pair: the other's index, and that character. */
  after?: { term: number; shared: string };
}

/** Longer queries keep their first words: more would cost time on every row and change no ranking. */
const maxTerms = 64;
const maxRepeats = 3;
/** Enough text to find `maxTerms` different words in anything people write. */
const maxQueryLength = 20_000;

/**
 * The words of a query that say what it is about, in order of appearance. A query of nothing but function words keeps
 * them all; one without any word gives none.
 */
export function queryTerms(query: string): QueryTerm[] {
  const tokens = tokenize(query.slice(0, maxQueryLength));
  const content = tokens.filter(({ word }) => !isStopword(word));
  const terms: QueryTerm[] = [];
  const places = new Map<string, number>();
  let before: Token | undefined;
  for (const token of content.length > 0 ? content : tokens) {
    const root = stem(token.word);
    const known = terms[places.get(root) ?? -1];
    if (known) known.count++;
    else if (terms.length < maxTerms) {
      places.set(root, terms.length);
      terms.push({ word: token.word, stem: root, count: 1, after: pairBefore(token, before, places) });
    }
    before = token;
  }
  return terms;
}

function pairBefore(token: Token, before: Token | undefined, places: ReadonlyMap<string, number>): QueryTerm["after"] {
  const term = before && before.end > token.start ? places.get(before.word) : undefined;
  return term === undefined ? undefined : { term, shared: token.first ?? "" };
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
  return [...words, ...[...parts].slice(0, maxTerms)].map(phrase).join(" OR ");
}

/** Words hold letters, digits and marks only, so the doubling never happens; it keeps the rule local. */
function phrase(word: string): string {
  const quoted = `"${word.replaceAll('"', '""')}"`;
  // Whatever pair begins with the character, see `pairs`.
  return isLoneCharacter(word) ? `${quoted} *` : quoted;
}
