import { fail, ok, type Result } from "../errors.ts";
import { matchExpression, queryTerms } from "../search/match.ts";
import { type Occurrence, occurrenceFinder } from "../search/occurrences.ts";
import { type Ranked, rerank } from "../search/proximity.ts";
import { diversify } from "../search/ranking.ts";
import { snippet } from "../search/snippet.ts";
import { readDocument, type StoredDocument } from "./documents.ts";
import * as passages from "./index_passages.ts";
import { type Scope, scopeOf } from "./index_scope.ts";
import { hasOldIndex, OLD_INDEX, oldExpression } from "./old_index.ts";
import { readMessage } from "./sessions.ts";
import type { DocumentSummary, FetchedItem, SearchHit, SearchReply, SearchRequest, TextWindow } from "./types.ts";

/** Search over the passages of documents and messages, and reading what was found. */

/** Best passages by BM25 that are ranked anew by proximity. */
const rerankDepth = 100;
/** Characters all snippets of an answer may take together, so that a long list of hits stays readable. */
const snippetBudget = 6_000;
const snippetLength = { least: 120, most: 320 };

interface PassageRow extends Record<string, SqlStorageValue> {
  row: number;
  n: number;
  start: number;
  end: number;
  heading: string;
  text: string;
  message_id: string | null;
  session_id: string | null;
  session_title: string;
  document_id: string | null;
  document_title: string | null;
  url: string | null;
}

interface Candidate {
  passage: PassageRow;
  title: string;
  /** What proximity is judged on: title and passage. */
  text: string;
  score: number;
}

export const createSchema = passages.createSchema;

/** Best passages first. A query without words, or one that nothing matches, has no hits. */
export function search(storage: DurableObjectStorage, request: SearchRequest): Result<SearchReply> {
  const terms = queryTerms(request.query);
  const found = candidates(storage, request, matchExpression(request.query, terms));
  const find = occurrenceFinder(terms);
  const ranked = onePerMessage(rerank(found, terms, find));
  const best = diversify(ranked, groupOf, request.limit);
  const length = Math.max(snippetLength.least, Math.min(snippetLength.most, snippetBudget / request.limit));
  return ok({
    hits: best.map((one) => toHit(storage, one, find, Math.round(length))),
    arms: ["bm25", "proximity"],
    candidates: found.length,
  });
}

function candidates(storage: DurableObjectStorage, request: SearchRequest, match: string): Candidate[] {
  const scope = scopeOf(request);
  if (!match || !scope) return [];
  const best = scored(storage, "passage_index", match, scope);
  if (hasOldIndex(storage)) {
    best.push(...scored(storage, OLD_INDEX, oldExpression(request.query), scope));
    best.sort((a, b) => b.score - a.score || a.row - b.row).splice(rerankDepth);
  }
  const scores = new Map(best.map(({ row, score }) => [row, score]));
  const rows = storage.sql
    .exec<PassageRow>(
      `SELECT p.row, p.n, p.start, p.end, p.heading, p.text, p.message_id, p.session_id, p.session_title,
              d.id AS document_id, d.title AS document_title, d.url AS url
       FROM passages p LEFT JOIN documents d ON d.generation = p.generation
       WHERE p.row IN (SELECT value FROM json_each(?))`,
      JSON.stringify([...scores.keys()]),
    )
    .toArray();
  return rows
    .map((passage) => {
      const title = passage.document_title ?? "";
      return { passage, title, text: `${title}\n${passage.text}`, score: scores.get(passage.row) as number };
    })
    .sort((a, b) => b.score - a.score || a.passage.row - b.passage.row);
}

/** The best passages of one index, best first; scores are BM25, larger is better. */
function scored(storage: DurableObjectStorage, index: string, match: string, scope: Scope) {
  return storage.sql
    .exec<{ row: number; score: number }>(
      `SELECT ${index}.rowid AS row, -bm25(${index}, ${passages.COLUMN_WEIGHTS}) AS score
       FROM ${index} JOIN passages p ON p.row = ${index}.rowid
       WHERE ${index} MATCH ? AND (${scope.sql})
       ORDER BY score DESC, row LIMIT ?`,
      match,
      ...scope.bind,
      rerankDepth,
    )
    .toArray();
}

const groupOf = ({ candidate: { passage } }: Ranked<Candidate>): string =>
  passage.document_id !== null ? `d:${passage.document_id}` : `s:${passage.session_id}`;

/** A long message is indexed in pieces but is one item: its best piece stands for it. */
function onePerMessage(ranked: readonly Ranked<Candidate>[]): Ranked<Candidate>[] {
  const seen = new Set<string>();
  return ranked.filter(({ candidate: { passage } }) => {
    if (passage.message_id === null) return true;
    return !seen.has(passage.message_id) && seen.add(passage.message_id);
  });
}

function toHit(
  storage: DurableObjectStorage,
  { candidate: { passage, title }, score, matched }: Ranked<Candidate>,
  find: (text: string) => Occurrence[],
  length: number,
): SearchHit {
  const { n, start, end, heading, text, message_id, session_id, document_id } = passage;
  const isDocument = document_id !== null;
  return {
    id: isDocument ? `${document_id}~${n}` : `msg:${message_id}`,
    kind: isDocument ? "document" : "message",
    document_id,
    session_id,
    title: isDocument ? title : sessionTitle(storage, passage),
    heading,
    url: isDocument ? (passage.url ?? documentUri(document_id)) : sessionUri(session_id as string),
    snippet: snippet(text, find(text), length),
    text,
    score: Math.round(score * 10_000) / 10_000,
    matched,
    start,
    end,
  };
}

/** A session may have been renamed since its messages were indexed. */
const sessionTitle = (storage: DurableObjectStorage, { message_id, session_title }: PassageRow): string =>
  readMessage(storage, message_id as string)?.session_title ?? session_title;

export const documentUri = (id: string): string => `waypost://documents/${encodeURIComponent(id)}`;
export const sessionUri = (id: string): string => `waypost://sessions/${encodeURIComponent(id)}`;

/**
 * Reads a document, one chunk of it (`<document id>~<n>`) or a message (`msg:<id>`). With `window`, a document comes as
 * the text from `offset` on, in whole passages up to `length` characters (at least one). Fails with `not_found`.
 */
export function fetchItem(storage: DurableObjectStorage, id: string, window?: TextWindow): Result<FetchedItem> {
  if (id.startsWith("msg:")) {
    const found = readMessage(storage, id.slice("msg:".length));
    return found ? ok({ kind: "message", ...found }) : notFound();
  }
  const document = readDocument(storage, id);
  if (document) return ok(readText(storage, document, window));
  const [, documentId, n] = /^(.+)~(\d{1,9})$/s.exec(id) ?? [];
  const owner = documentId === undefined ? null : readDocument(storage, documentId);
  return owner ? fetchChunk(storage, owner, Number(n)) : notFound();
}

function readText(storage: DurableObjectStorage, document: StoredDocument, window?: TextWindow): FetchedItem {
  const { offset, length } = window ?? { offset: 0, length: Number.MAX_SAFE_INTEGER };
  const rows = storage.sql.exec<{ start: number; end: number; text: string }>(
    "SELECT start, end, text FROM passages WHERE generation = ? AND generation <> 0 AND end > ? ORDER BY n",
    document.generation,
    offset,
  );
  let text = "";
  for (const row of rows) {
    const piece = row.text.slice(Math.max(0, offset - row.start));
    if (text && text.length + piece.length > length) break;
    text += piece;
  }
  return { kind: "document", document: summaryOf(document), text, length: textLength(storage, document) };
}

function textLength(storage: DurableObjectStorage, { generation }: StoredDocument): number {
  return storage.sql
    .exec<{ end: number }>(
      "SELECT end FROM passages WHERE generation = ? AND generation <> 0 ORDER BY n DESC LIMIT 1",
      generation,
    )
    .one().end;
}

function fetchChunk(storage: DurableObjectStorage, document: StoredDocument, n: number): Result<FetchedItem> {
  const [piece] = storage.sql
    .exec<{ n: number; text: string; heading: string; start: number; end: number }>(
      "SELECT n, text, heading, start, end FROM passages WHERE generation = ? AND generation <> 0 AND n = ?",
      document.generation,
      n,
    )
    .toArray();
  if (!piece) return notFound();
  return ok({ kind: "chunk", document: summaryOf(document), chunk: piece, chunk_count: document.chunks });
}

function summaryOf({ generation: _, ...summary }: StoredDocument): DocumentSummary {
  return summary;
}

const notFound = (): Result<never> => fail("not_found", "There is no document, passage or message with this id.");
