import { countWords, indexed, subwords } from "../search/tokens.ts";
import { forgetOld, setOldAside } from "./old_index.ts";

/**
 * The one full-text corpus of a vault: passages of documents and of messages. FTS5 keeps only the index
 * (contentless, row ids are those of `passages`); the text is kept once, beside it.
 */

/** What a stored passage of a message carries instead of a generation. */
export const MESSAGE_GENERATION = 0;

export interface Passage {
  /** Revision of a document this belongs to (`documents.generation`), or `MESSAGE_GENERATION`. */
  generation: number;
  messageId: string | null;
  sessionId: string | null;
  /** Title of a message's session when it was indexed; empty for documents, which have their own. */
  sessionTitle: string;
  n: number;
  heading: string;
  /** UTF-16 code units into the text of the document or message. */
  start: number;
  end: number;
  text: string;
}

export interface IndexedText {
  /** Weighs most in ranking. */
  title: string;
  text: string;
  /** What stands around it; weighs little, and only for passages too short to speak for themselves. */
  context: string;
}

/** bm25 weights in the order of the index's columns: title, body, subwords, context. */
export const COLUMN_WEIGHTS = "3.0, 1.0, 0.5, 0.3";

/**
 * Passages of fewer words are indexed with their context. Code and turns of a conversation lean on what stands beside
 * them; on prose of 80 to 150 words it was measured to hurt.
 */
const shortPassageWords = { prose: 60, code: 150, message: 150 };
const contextCharacters = 1_200;

/**
 * The index is given words that are found and folded already (`src/search/tokens.ts`). Its own tokenizer only parts them at
 * spaces (to `ascii` every other character belongs to a word) and stems English, as it does to the words of a query.
 */
export function createSchema(storage: DurableObjectStorage): void {
  setOldAside(storage);
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS passages (
      row INTEGER PRIMARY KEY,
      generation INTEGER NOT NULL,
      session_id TEXT,
      message_id TEXT,
      session_title TEXT NOT NULL,
      n INTEGER NOT NULL,
      start INTEGER NOT NULL,
      end INTEGER NOT NULL,
      heading TEXT NOT NULL,
      text TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS passages_by_generation ON passages (generation, n) WHERE generation <> 0;
    CREATE INDEX IF NOT EXISTS passages_by_message ON passages (message_id) WHERE message_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS passages_by_session ON passages (session_id, row) WHERE session_id IS NOT NULL;
    CREATE VIRTUAL TABLE IF NOT EXISTS passage_index USING fts5(
      title, body, subwords, context,
      content = '', contentless_delete = 1, tokenize = 'porter ascii'
    );
  `);
}

export const needsContext = (text: string, kind: keyof typeof shortPassageWords): boolean =>
  countWords(text) < shortPassageWords[kind];

/** The end of what comes before and the beginning of what comes after, cut to what is worth indexing. */
export function contextOf(before: string, after: string): string {
  return `${before.slice(-contextCharacters)}\n${after.slice(0, contextCharacters)}`;
}

/** Stores one passage, not yet findable; returns its row. Runs inside the caller's transaction. */
export function storePassage(storage: DurableObjectStorage, passage: Passage): number {
  return storage.sql
    .exec<{ row: number }>(
      `INSERT INTO passages (generation, session_id, message_id, session_title, n, start, end, heading, text)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING row`,
      passage.generation,
      passage.sessionId,
      passage.messageId,
      passage.sessionTitle,
      passage.n,
      passage.start,
      passage.end,
      passage.heading,
      passage.text,
    )
    .one().row;
}

/** Makes a row findable by its words, in the place of what it was findable by before. */
export function indexPassage(storage: DurableObjectStorage, row: number, { title, text, context }: IndexedText): void {
  storage.sql.exec(
    "REPLACE INTO passage_index (rowid, title, body, subwords, context) VALUES (?, ?, ?, ?, ?)",
    row,
    indexed(title),
    indexed(text),
    subwords(`${title}\n${text}`).join(" "),
    indexed(context),
  );
  forgetOld(storage, [row]);
}

export function deletePassages(storage: DurableObjectStorage, rows: readonly number[]): void {
  const list = JSON.stringify(rows);
  storage.sql.exec("DELETE FROM passage_index WHERE rowid IN (SELECT value FROM json_each(?))", list);
  forgetOld(storage, rows);
  storage.sql.exec("DELETE FROM passages WHERE row IN (SELECT value FROM json_each(?))", list);
}
