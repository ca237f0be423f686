import type { QueryTerm } from "./match.ts";
import { type Occurrence, occurrenceFinder } from "./occurrences.ts";

/** Share of a full proximity score that is added to the normalised BM25 score; best of .2, .4, .6 on all collections. */
const lambda = 0.4;
/** Words apart up to which two query words are taken to belong together. */
const window = 8;

export interface Candidate {
  text: string;
  /** BM25, larger is better. */
  score: number;
}

export interface Ranked<C> {
  candidate: C;
  /** 0 to 1.4: normalised BM25 plus proximity. */
  score: number;
  /** Query words found in the text, in the query's order. */
  matched: string[];
}

/**
 * Orders BM25's best candidates anew: those gain where different words of the query stand close together, rare words
 * most. Rarity is judged among the candidates themselves.
 */
export function rerank<C extends Candidate>(
  candidates: readonly C[],
  terms: readonly QueryTerm[],
  find: (text: string) => Occurrence[] = occurrenceFinder(terms),
): Ranked<C>[] {
  const found = candidates.map(({ text }) => find(text));
  const matched = found.map((places) => [...new Set(places.map(({ term }) => term))].sort((a, b) => a - b));
  const weights = rarity(matched, terms.length);
  const proximity = found.map((places) => pairs(places, weights));
  const normalised = normalise(candidates.map(({ score }) => score));
  const nearest = Math.max(...proximity, Number.MIN_VALUE);
  return candidates
    .map((candidate, i) => ({
      candidate,
      score: (normalised[i] as number) + (lambda * (proximity[i] as number)) / nearest,
      matched: wordsOf(matched[i] as number[], terms),
    }))
    .sort((a, b) => b.score - a.score);
}

/** The words of some terms, ascending; pairs that followed each other in the query are joined again. */
function wordsOf(found: readonly number[], terms: readonly QueryTerm[]): string[] {
  const words: string[] = [];
  for (const [i, term] of found.entries()) {
    const { word, after } = terms[term] as QueryTerm;
    if (after && i > 0 && found[i - 1] === after.term) words.push(words.pop() + word.slice(after.shared.length));
    else words.push(word);
  }
  return words;
}

/** Inverse document frequency of each term within the candidates, never quite zero. */
function rarity(matched: readonly number[][], terms: number): number[] {
  const frequency = new Array<number>(terms).fill(0);
  for (const found of matched) for (const term of found) frequency[term] = (frequency[term] as number) + 1;
  return frequency.map((n) => Math.log(1 + (matched.length - n + 0.5) / (n + 0.5)) + 0.2);
}

/** Sum over pairs of different terms of 1/distance at their closest, weighted by the commoner of the two. */
function pairs(places: readonly Occurrence[], weights: readonly number[]): number {
  const closest = new Map<number, number>();
  for (let i = 0; i < places.length; i++) {
    const a = places[i] as Occurrence;
    for (let j = i + 1; j < places.length; j++) {
      const b = places[j] as Occurrence;
      const distance = b.position - a.position;
      if (distance > window) break;
      if (a.term === b.term) continue;
      const pair = Math.min(a.term, b.term) * weights.length + Math.max(a.term, b.term);
      if (distance < (closest.get(pair) ?? Number.POSITIVE_INFINITY)) closest.set(pair, distance);
    }
  }
  let sum = 0;
  for (const [pair, distance] of closest) {
    const a = weights[Math.floor(pair / weights.length)] as number;
    const b = weights[pair % weights.length] as number;
    sum += Math.min(a, b) / distance;
  }
  return sum;
}

/** Scales to 0..1 over the list; a list of equals is all ones. */
function normalise(scores: readonly number[]): number[] {
  const max = Math.max(...scores);
  const min = Math.min(...scores);
  return scores.map((score) => (max > min ? (score - min) / (max - min) : 1));
}
