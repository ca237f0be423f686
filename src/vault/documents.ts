import { fail, ok, type Result } from "../errors.ts";
import { canonicalJson } from "./canonical.ts";
import { record } from "./changes.ts";
import { createGenerations, newGeneration, setState, stagePassages, sweep } from "./document_generations.ts";
import type { DeleteDocumentOutcome, DocumentSummary, PreparedDocument, PutDocumentOutcome } from "./types.ts";

/**
 * Documents and their revisions. The text is kept as the passages it was cut into; `generation` names those of the
 * revision that is visible.
 */

export type StoredDocument = DocumentSummary & { generation: number };

type DocumentRow = Record<keyof StoredDocument, SqlStorageValue> & {
  id: string;
  title: string;
  url: string | null;
  format: StoredDocument["format"];
  bytes: number;
  chunks: number;
  revision: number;
  sha256: string;
  metadata: string;
  updated_at: string;
  generation: number;
};

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS documents (
      id TEXT PRIMARY KEY,
      title TEXT NOT NULL,
      url TEXT,
      format TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      chunks INTEGER NOT NULL,
      revision INTEGER NOT NULL,
      sha256 TEXT NOT NULL,
      metadata TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      generation INTEGER NOT NULL UNIQUE
    );
    CREATE INDEX IF NOT EXISTS documents_by_sha256 ON documents (sha256);
  `);
  createGenerations(storage);
}

/**
 * Stores a document in the place of its older revision, which stays what is found until the new one is complete.
 * Storing what is stored already changes nothing.
 */
export async function putDocument(
  storage: DurableObjectStorage,
  given: PreparedDocument,
): Promise<Result<PutDocumentOutcome>> {
  const document = underItsId(storage, given);
  const problem = whyInvalid(document);
  if (problem) return fail("invalid_input", problem);
  const stored = readDocument(storage, document.id);
  if (stored && isSame(stored, document)) return ok(unchanged(storage, stored));
  const generation = newGeneration(storage);
  try {
    await stagePassages(storage, generation, document);
    return ok(storage.transactionSync(() => publish(storage, document, generation)));
  } catch (error) {
    setState(storage, generation, "garbage");
    throw error;
  } finally {
    await sweep(storage);
  }
}

function underItsId(storage: DurableObjectStorage, { old_id, ...document }: PreparedDocument): PreparedDocument {
  const isStored = old_id !== undefined && readDocument(storage, old_id)?.title === document.title;
  return isStored ? { ...document, id: old_id } : document;
}

/** Makes a staged generation the document. Other calls may have stored or deleted the document since it was staged. */
function publish(storage: DurableObjectStorage, document: PreparedDocument, generation: number): PutDocumentOutcome {
  const stored = readDocument(storage, document.id);
  if (stored && isSame(stored, document)) {
    setState(storage, generation, "garbage");
    return unchanged(storage, stored);
  }
  const revision = (stored?.revision ?? 0) + 1;
  storage.sql.exec(
    `REPLACE INTO documents (id, title, url, format, bytes, chunks, revision, sha256, metadata, updated_at, generation)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    document.id,
    document.title,
    document.url,
    document.format,
    document.bytes,
    document.chunks.length,
    revision,
    document.sha256,
    canonicalJson(document.metadata),
    new Date().toISOString(),
    generation,
  );
  setState(storage, generation, "live");
  if (stored) setState(storage, stored.generation, "garbage");
  return {
    id: document.id,
    status: stored ? "updated" : "created",
    revision,
    chunks: document.chunks.length,
    seq: record(storage, { kind: "document", entity: document.id }),
    orphan: stored ? orphan(storage, stored.sha256) : null,
  };
}

/** Deletes a document; it is found no more from this moment. Fails with `not_found`. */
export async function deleteDocument(
  storage: DurableObjectStorage,
  id: string,
): Promise<Result<DeleteDocumentOutcome>> {
  const stored = readDocument(storage, id);
  if (!stored) return fail("not_found", "There is no document with this id.");
  const outcome = storage.transactionSync((): DeleteDocumentOutcome => {
    storage.sql.exec("DELETE FROM documents WHERE id = ?", id);
    setState(storage, stored.generation, "garbage");
    const seq = record(storage, { kind: "document", entity: id, deleted: true });
    return { id, deleted: true, seq, orphan: orphan(storage, stored.sha256) };
  });
  await sweep(storage);
  return ok(outcome);
}

/** A document without its text, null when there is none with this id. */
export function readSummary(storage: DurableObjectStorage, id: string): DocumentSummary | null {
  const stored = readDocument(storage, id);
  if (!stored) return null;
  const { generation: _, ...summary } = stored;
  return summary;
}

export function readDocument(storage: DurableObjectStorage, id: string): StoredDocument | null {
  const [row] = storage.sql
    .exec<DocumentRow>(
      `SELECT id, title, url, format, bytes, chunks, revision, sha256, metadata, updated_at, generation
       FROM documents WHERE id = ?`,
      id,
    )
    .toArray();
  return row ? { ...row, metadata: JSON.parse(row.metadata) } : null;
}

function unchanged(storage: DurableObjectStorage, { id, revision, chunks }: StoredDocument): PutDocumentOutcome {
  const { seq } = storage.sql
    .exec<{ seq: number }>("SELECT seq FROM changes WHERE kind = 'document' AND entity = ?", id)
    .one();
  return { id, status: "unchanged", revision, chunks, seq, orphan: null };
}

function isSame(stored: StoredDocument, document: PreparedDocument): boolean {
  return (
    stored.sha256 === document.sha256 &&
    stored.title === document.title &&
    stored.url === document.url &&
    stored.format === document.format &&
    canonicalJson(stored.metadata) === canonicalJson(document.metadata)
  );
}

/** The hash when no document needs that original any more. */
function orphan(storage: DurableObjectStorage, sha256: string): string | null {
  const used = storage.sql.exec("SELECT 1 FROM documents WHERE sha256 = ? LIMIT 1", sha256).toArray();
  return used.length > 0 ? null : sha256;
}

/** The text is read back from the chunks, so they must tile it. */
function whyInvalid({ text, chunks }: PreparedDocument): string | null {
  if (chunks.length === 0) return "The document has no text.";
  let end = 0;
  for (const [n, piece] of chunks.entries()) {
    if (piece.n !== n || piece.start !== end || piece.end !== end + piece.text.length)
      return "The chunks do not tile the text.";
    end = piece.end;
  }
  return end === text.length ? null : "The chunks do not tile the text.";
}
