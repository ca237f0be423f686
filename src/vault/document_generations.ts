import {
  contextOf,
  deletePassages,
  type IndexedText,
  indexPassage,
  needsContext,
  storePassage,
} from "./index_passages.ts";
import type { Chunk, DocumentFormat, PreparedDocument } from "./types.ts";

/**
 * A generation is the set of passages of one revision of one document. It is written and cleared in slices, with other
 * work let in between, and is visible only while a document names it: so a revision appears and disappears at once,
 * and what a crash left half-written is never seen and swept later.
 */

type Indexable = Pick<PreparedDocument, "title" | "format" | "chunks">;

/** Characters indexed in one turn of the vault: about 20 ms. */
const sliceCharacters = 96_000;
/** Passages cleared in one turn. */
const sliceRows = 200;

export function createGenerations(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS generations (
      generation INTEGER PRIMARY KEY AUTOINCREMENT,
      state TEXT NOT NULL CHECK (state IN ('staged', 'live', 'garbage'))
    );
    CREATE INDEX IF NOT EXISTS generations_to_sweep ON generations (generation) WHERE state = 'garbage';
  `);
  // Runs when the object starts: whoever was staging is gone.
  storage.sql.exec("UPDATE generations SET state = 'garbage' WHERE state = 'staged'");
}

export function newGeneration(storage: DurableObjectStorage): number {
  return storage.sql
    .exec<{ generation: number }>("INSERT INTO generations (state) VALUES ('staged') RETURNING generation")
    .one().generation;
}

export function setState(storage: DurableObjectStorage, generation: number, state: "live" | "garbage"): void {
  storage.sql.exec("UPDATE generations SET state = ? WHERE generation = ?", state, generation);
}

/** Writes and indexes all passages of a generation, in slices; between slices the vault serves other calls. */
export async function stagePassages(
  storage: DurableObjectStorage,
  generation: number,
  document: Indexable,
): Promise<void> {
  const { chunks } = document;
  for (let from = 0; from < chunks.length; ) {
    const to = sliceEnd(chunks, from);
    if (from > 0) await otherWork();
    storage.transactionSync(() => stageSlice(storage, generation, document, from, to));
    from = to;
  }
}

function sliceEnd(chunks: readonly Chunk[], from: number): number {
  let characters = 0;
  let to = from;
  while (to < chunks.length && characters < sliceCharacters) characters += (chunks[to++] as Chunk).text.length;
  return to;
}

/** Passages from..to (exclusive); the ones beside them are read for their context only. */
export function stageSlice(
  storage: DurableObjectStorage,
  generation: number,
  document: Indexable,
  from: number,
  to: number,
): void {
  const { chunks } = document;
  for (let i = from; i < to; i++) {
    const piece = chunks[i] as Chunk;
    const row = storePassage(storage, { ...piece, generation, messageId: null, sessionId: null, sessionTitle: "" });
    const beside = { before: chunks[i - 1]?.text ?? "", after: chunks[i + 1]?.text ?? "" };
    indexPassage(storage, row, indexedText({ ...document, ...piece, ...beside }));
  }
}

interface PassageInDocument {
  title: string;
  format: DocumentFormat;
  heading: string;
  text: string;
  /** Texts of the passages on either side, empty at the ends. */
  before: string;
  after: string;
}

function indexedText({ title, format, heading, text, before, after }: PassageInDocument): IndexedText {
  const short = needsContext(text, format === "code" ? "code" : "prose");
  return { title: `${title}\n${heading}`, text, context: short ? contextOf(before, after) : "" };
}

/** Indexes the stored passages among `rows` that belong to visible revisions anew, as they were when they were staged. */
export function reindexDocuments(storage: DurableObjectStorage, rows: readonly number[]): void {
  const beside = (n: string): string =>
    `coalesce((SELECT text FROM passages WHERE generation = p.generation AND generation <> 0 AND n = ${n}), '')`;
  const found = storage.sql
    .exec<{ row: number } & Record<keyof PassageInDocument, string> & { format: DocumentFormat }>(
      `SELECT p.row, d.title, d.format, p.heading, p.text, ${beside("p.n - 1")} AS before, ${beside("p.n + 1")} AS after
       FROM passages p JOIN documents d ON d.generation = p.generation
       WHERE p.row IN (SELECT value FROM json_each(?))`,
      JSON.stringify(rows),
    )
    .toArray();
  for (const { row, ...passage } of found) indexPassage(storage, row, indexedText(passage));
}

/** Clears every generation that nothing names any more, in slices. */
export async function sweep(storage: DurableObjectStorage): Promise<void> {
  while (storage.transactionSync(() => sweepSlice(storage))) await otherWork();
}

/** Returns whether there is more to clear. */
function sweepSlice(storage: DurableObjectStorage): boolean {
  const [garbage] = storage.sql
    .exec<{ generation: number }>("SELECT generation FROM generations WHERE state = 'garbage' LIMIT 1")
    .toArray();
  if (!garbage) return false;
  const rows = storage.sql
    .exec<{ row: number }>(
      "SELECT row FROM passages WHERE generation = ? AND generation <> 0 LIMIT ?",
      garbage.generation,
      sliceRows,
    )
    .toArray()
    .map(({ row }) => row);
  deletePassages(storage, rows);
  if (rows.length < sliceRows) storage.sql.exec("DELETE FROM generations WHERE generation = ?", garbage.generation);
  return true;
}

/** Ends this turn of the object, so that calls that waited are served. */
const otherWork = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
