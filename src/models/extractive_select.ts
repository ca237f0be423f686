import {
  contentWords,
  findableWords,
  isQuestion,
  isStatement,
  neighbours,
  splitSentences,
} from "./extractive_sentences.ts";
import type { Passage } from "./types.ts";

/**
 * Which sentences of passages answer a question. The numbers were chosen on one half of the questions of two test
 * collections for sentences that come from relevant documents; `bench/grounding.ts` reports on the other half.
 */

const MAX_SENTENCES = 4;
/** Share of the question's weight that the best passage must meet, or for a question of two parts the best two together. */
const MIN_PASSAGE = 0.42;
const MIN_TWO_PASSAGES = 0.75;
/** And the best sentence; below these, nothing answers. */
const MIN_SENTENCE = 0.21;
/** A passage is quoted when it meets this part of what the best one does. */
const MIN_OF_BEST_PASSAGE = 0.37;
/** A further sentence comes this close to the best without repeating another, or meets this much more of the question. */
const CLOSE = 0.57;
const FRESH = 0.27;
/** And never falls below this part of the best. */
const FLOOR = 0.4;
/** Share of common words from which two sentences say the same. */
const REPEATS = 0.6;
const SAME = 0.9;
/** Beside a word's rarity (idf) so that a common one counts too. */
const EVERY_WORD = 0.45;
/** Words that stand together as in the question; length; the retrieval's order; place in the passage; no statement. */
const NEIGHBOURS = 0.25;
const LENGTH = 0.28;
const RANK = 2;
const PLACE = 0.1;
const LABEL = 0.85;

export interface Chosen {
  n: number;
  text: string;
}

interface Sentence extends Chosen {
  /** Place in its passage, from 0. */
  place: number;
  words: Set<string>;
  length: number;
  neighbours: Set<string>;
}

interface Scored {
  sentence: Sentence;
  /** Share of the question's weight. */
  share: number;
  score: number;
}

/** The sentences that answer, best first; empty when nothing matches well. */
export function selectSentences(question: string, passages: readonly Passage[]): Chosen[] {
  const asked = contentWords(question);
  const sentences = passages.flatMap(toSentences);
  if (asked.length === 0 || sentences.length === 0) return [];
  const weights = weigh(new Set(asked), sentences);
  const words = passages.map(({ n, title, text }) => ({ n, words: findableWords(`${title}\n${text}`) }));
  const covered = new Map(words.map((passage) => [passage.n, share(passage.words, weights)]));
  const bestPassage = Math.max(...covered.values());
  const first = words.find(({ n }) => covered.get(n) === bestPassage)?.words ?? new Set();
  const bestTwo = Math.max(...words.map((other) => share(new Set([...first, ...other.words]), weights)));
  if (bestPassage < MIN_PASSAGE && bestTwo < MIN_TWO_PASSAGES) return [];
  const pairs = neighbours(asked);
  const ranked = sentences
    .filter(({ n }) => (covered.get(n) ?? 0) >= bestPassage * MIN_OF_BEST_PASSAGE)
    .map((sentence) => score(sentence, weights, pairs))
    .filter((scored) => scored.share > 0)
    .sort((a, b) => b.score - a.score || a.sentence.n - b.sentence.n || a.sentence.place - b.sentence.place);
  const best = ranked[0];
  return best && best.share >= MIN_SENTENCE ? pick(ranked, best, weights) : [];
}

/** The best sentences that are not each other's repetition. */
function pick(ranked: readonly Scored[], best: Scored, weights: ReadonlyMap<string, number>): Chosen[] {
  const chosen: Sentence[] = [];
  const open = new Map(weights);
  const total = sum(weights.values());
  for (const { sentence, score } of ranked) {
    if (chosen.length === MAX_SENTENCES || score < best.score * FLOOR) break;
    const fresh = [...open].filter(([word]) => sentence.words.has(word));
    const adds = sum(fresh.map(([, weight]) => weight)) / total >= FRESH;
    const common = Math.max(0, ...chosen.map((other) => overlap(sentence, other)));
    const further = (adds && common <= SAME) || (score >= best.score * CLOSE && common < REPEATS);
    if (chosen.length > 0 && !further) continue;
    chosen.push(sentence);
    for (const [word] of fresh) open.delete(word);
  }
  return chosen.map(({ n, text }) => ({ n, text }));
}

function score(sentence: Sentence, weights: ReadonlyMap<string, number>, pairs: ReadonlySet<string>): Scored {
  const met = share(sentence.words, weights);
  const together = [...pairs].filter((pair) => sentence.neighbours.has(pair)).length / Math.max(1, pairs.size);
  const length = 1 - LENGTH + LENGTH * Math.max(1, sentence.length / 25);
  const where = (1 + RANK / sentence.n) * (1 + PLACE / (1 + sentence.place));
  const shape = isStatement(sentence.text) ? 1 : LABEL;
  return { sentence, share: met, score: ((met + NEIGHBOURS * together) / length) * where * shape };
}

/** How much each word of the question says: the fewer sentences have it the more. One that none has weighs as if one had. */
function weigh(asked: ReadonlySet<string>, sentences: readonly Sentence[]): Map<string, number> {
  return new Map(
    [...asked].map((word) => {
      const found = Math.max(1, sentences.filter(({ words }) => words.has(word)).length);
      return [word, Math.log(1 + (sentences.length - found + 0.5) / (found + 0.5)) + EVERY_WORD];
    }),
  );
}

function share(words: ReadonlySet<string>, weights: ReadonlyMap<string, number>): number {
  let met = 0;
  for (const [word, weight] of weights) if (words.has(word)) met += weight;
  return met / sum(weights.values());
}

function toSentences({ n, title, text }: Passage): Sentence[] {
  const texts = splitSentences(text);
  // A heading that repeats the title and a question hold the words that were asked for and no answer.
  const body = texts.filter((each) => each.toLowerCase() !== title.trim().toLowerCase() && !isQuestion(each));
  return (body.length > 0 ? body : texts).map((each, place) => {
    const words = contentWords(each);
    const length = each.split(/\s+/).length;
    return { n, text: each, place, words: findableWords(each), length, neighbours: neighbours(words) };
  });
}

function overlap(a: Sentence, b: Sentence): number {
  let shared = 0;
  for (const word of a.words) if (b.words.has(word)) shared++;
  return shared / Math.max(1, Math.min(a.words.size, b.words.size));
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
