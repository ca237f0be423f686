import { WaypostError } from "../errors.ts";
import { stem } from "../search/stem.ts";
import { isStopword } from "../search/stopwords.ts";
import { tokenize } from "../search/tokens.ts";
import { estimatePrompt, estimateTokens } from "./tokens.ts";
import type { ChatModel, FinishReason, ModelEvent, ModelInfo, ModelRequest, Passage } from "./types.ts";

/** What the model says when no passage answers. */
export const NO_ANSWER = "Nothing in your documents answers this.";

export const EXTRACTIVE: ModelInfo = {
  id: "local/extractive",
  provider: "local",
  name: "extractive",
  priceClass: "local",
  markupBps: 10_000,
  price: { input: 0, output: 0 },
  contextTokens: 1_000_000,
  maxOutputTokens: 4096,
  needsPassages: true,
};

/**
 * The embedded model: answers from passages by quoting the sentences that meet the question, each with its [n], best
 * first; says so when none does. Never adds a word of its own to what the passages say.
 */
export const extractive: ChatModel = { info: EXTRACTIVE, stream };

async function* stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
  const question = request.messages.findLast((message) => message.role === "user")?.content ?? "";
  const input = estimatePrompt([
    { role: "user", content: question },
    ...request.passages.map(({ text }) => ({ role: "user" as const, content: text })),
  ]);
  const chosen = selectSentences(question, request.passages);
  const pieces = chosen.length > 0 ? chosen.map(({ text, n }) => `${text} [${n}]`) : [NO_ANSWER];
  let output = 0;
  let reason: FinishReason = "stop";
  for (const [i, piece] of pieces.entries()) {
    if (request.signal.aborted) throw new WaypostError("client_closed", "The call was cancelled.");
    const text = i === 0 ? piece : ` ${piece}`;
    const tokens = estimateTokens(text);
    if (output + tokens > request.maxOutputTokens) {
      reason = "length";
      break;
    }
    output += tokens;
    yield { type: "delta", text };
  }
  yield { type: "finish", reason, usage: { input, output }, estimated: false };
}

interface Sentence {
  n: number;
  text: string;
  /** Place in its passage, from 0. */
  place: number;
  terms: Set<string>;
  length: number;
}

const MAX_SENTENCES = 4;
/** A quoted sentence is cut here, at a word: texts without punctuation have endless ones. */
const MAX_SENTENCE_CHARS = 600;
/** Share of the question's weight (idf) that the best sentence, and each quoted passage, must meet. */
const MIN_MET = 0.34;
/** A further sentence must come this close to the best one without repeating it, or meet this much more of the question. */
const MIN_SHARE = 0.55;
const MAX_OVERLAP = 0.6;
const MIN_NEW = 0.25;
/** What a text that is no statement counts for, beside one that is. */
const LABEL_WEIGHT = 0.7;

/** The sentences that answer, best first; empty when nothing matches well. */
export function selectSentences(question: string, passages: readonly Passage[]): { n: number; text: string }[] {
  const terms = contentTerms(question);
  if (terms.size === 0) return [];
  const sentences = passages.flatMap(toSentences);
  const weights = termWeights(terms, sentences);
  const total = sum(weights.values());
  const covered = new Map<number, number>();
  for (const passage of passages) {
    const met = contentTerms(`${passage.title}\n${passage.text}`);
    covered.set(passage.n, sum([...terms].map((term) => (met.has(term) ? (weights.get(term) ?? 0) : 0))) / total);
  }
  const ranked = sentences
    .map((sentence) => ({ sentence, ...score(sentence, weights, total) }))
    .filter(({ sentence, share }) => share > 0 && (covered.get(sentence.n) ?? 0) >= MIN_MET)
    .sort((a, b) => b.score - a.score || a.sentence.n - b.sentence.n || a.sentence.place - b.sentence.place);
  const best = ranked[0];
  if (!best || best.share < MIN_MET) return [];
  const chosen: Sentence[] = [];
  const met = new Set<string>();
  for (const { sentence, score: value } of ranked) {
    if (chosen.length === MAX_SENTENCES) break;
    const fresh = [...terms].filter((term) => sentence.terms.has(term) && !met.has(term));
    const adds = sum(fresh.map((term) => weights.get(term) ?? 0)) / total >= MIN_NEW;
    const close = value >= best.score * MIN_SHARE;
    if (!adds && !(close && chosen.every((other) => overlap(sentence, other) < MAX_OVERLAP))) continue;
    chosen.push(sentence);
    for (const term of fresh) met.add(term);
  }
  return chosen.map(({ n, text }) => ({ n, text }));
}

/** BM25's shape over sentences: rare words weigh more, long sentences less; earlier in a good passage is a little better. */
function score(sentence: Sentence, weights: Map<string, number>, total: number): { score: number; share: number } {
  let met = 0;
  for (const [term, weight] of weights) if (sentence.terms.has(term)) met += weight;
  const length = 0.75 + 0.25 * Math.max(1, sentence.length / 25);
  const position = 1 + 0.1 / (1 + sentence.place) + 0.1 / sentence.n;
  const shape = isStatement(sentence.text) ? 1 : LABEL_WEIGHT;
  return { score: (met / length) * position * shape, share: met / total };
}

/** Ends as a sentence does; labels and menu entries do not. */
const isStatement = (text: string): boolean => /[.!…。！][\p{Pe}\p{Pf}"']*$/u.test(text);

function termWeights(terms: Set<string>, sentences: Sentence[]): Map<string, number> {
  return new Map(
    [...terms].map((term) => {
      // A word that no passage has weighs as much as one found once: questions carry words of politeness.
      const found = Math.max(1, sentences.filter((sentence) => sentence.terms.has(term)).length);
      return [term, Math.log(1 + (sentences.length - found + 0.5) / (found + 0.5))];
    }),
  );
}

function toSentences(passage: Passage): Sentence[] {
  const title = passage.title.trim().toLowerCase();
  const texts = splitSentences(passage.text);
  // A heading that repeats the title and a question hold the words that were asked for and no answer.
  const body = texts.filter((text) => text.toLowerCase() !== title && !/[?？]$/.test(text));
  return (body.length > 0 ? body : texts).map((text, place) => ({
    n: passage.n,
    text,
    place,
    terms: contentTerms(text),
    length: tokenize(text).length,
  }));
}

const segmenter = new Intl.Segmenter("en", { granularity: "sentence" });

/** Sentences of a text; a line break after a blank line, a list item or a heading also ends one. */
export function splitSentences(text: string): string[] {
  return text
    .split(/\n\s*\n|\n(?=\s*(?:[-*•#>]|\d+[.)])\s)|(?<=^\s*#{1,6}\s[^\n]*)\n/m)
    .flatMap((block) => [...segmenter.segment(block.replace(/\s+/g, " "))].map(({ segment }) => segment.trim()))
    .map((sentence) => sentence.replace(/^(?:#{1,6}|[-*•>])\s+/, ""))
    .filter((sentence) => /[\p{L}\p{N}]/u.test(sentence))
    .map(cut);
}

function cut(sentence: string): string {
  if (sentence.length <= MAX_SENTENCE_CHARS) return sentence;
  const space = sentence.lastIndexOf(" ", MAX_SENTENCE_CHARS);
  return `${sentence.slice(0, space > 0 ? space : MAX_SENTENCE_CHARS).trimEnd()}…`;
}

/** Stems of the words that carry meaning; scripts written without spaces count by pairs of characters. */
function contentTerms(text: string): Set<string> {
  const terms = new Set<string>();
  for (const { word } of tokenize(text)) {
    if (isStopword(word)) continue;
    if (!/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u.test(word)) terms.add(stem(word));
    else for (const pair of pairs(word)) terms.add(pair);
  }
  return terms;
}

function pairs(word: string): string[] {
  const characters = [...word];
  if (characters.length < 2) return [word];
  return characters.slice(1).map((character, i) => `${characters[i]}${character}`);
}

function overlap(a: Sentence, b: Sentence): number {
  let shared = 0;
  for (const term of a.terms) if (b.terms.has(term)) shared++;
  return shared / Math.max(1, Math.min(a.terms.size, b.terms.size));
}

const sum = (numbers: Iterable<number>): number => {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
};
