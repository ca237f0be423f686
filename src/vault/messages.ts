import { Buffer } from "node:buffer";
import { canonicalJson } from "./canonical.ts";
import { record } from "./changes.ts";
import { indexMessage, removeMessages as unindexMessages } from "./message_index.ts";
import { noteMessages, type StoredSession, saveFields } from "./session_store.ts";
import { titleFromMessages } from "./titles.ts";
import type { Message, Role } from "./types.ts";

/** The messages table. Order within a session is the log's. Writers run inside the caller's transaction. */

export const MAX_CONTENT_BYTES = 1_048_576;
export const MAX_METADATA_BYTES = 65_536;
export const ID_PATTERN = /^[A-Za-z0-9_-]{1,128}$/;

interface MessageRow extends Record<string, SqlStorageValue> {
  id: string;
  session_id: string;
  seq: number;
  parent_id: string | null;
  role: string;
  content: string;
  created_at: string;
  model: string | null;
  metadata: string | null;
}

const COLUMNS = "id, session_id, seq, parent_id, role, content, created_at, model, metadata";

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS messages (
      id TEXT PRIMARY KEY,
      session_id TEXT NOT NULL,
      seq INTEGER NOT NULL,
      parent_id TEXT,
      role TEXT NOT NULL,
      content TEXT NOT NULL,
      created_at TEXT NOT NULL,
      model TEXT,
      metadata TEXT,
      device_id TEXT NOT NULL,
      removed_at TEXT
    );
    CREATE INDEX IF NOT EXISTS messages_by_session ON messages (session_id, seq) WHERE removed_at IS NULL;
    CREATE INDEX IF NOT EXISTS messages_removed ON messages (removed_at) WHERE removed_at IS NOT NULL;
  `);
}

/** The newest `limit` messages of a session, oldest of them first. */
export function newestMessages(storage: DurableObjectStorage, sessionId: string, limit: number): Message[] {
  return storage.sql
    .exec<MessageRow>(
      `SELECT ${COLUMNS} FROM messages WHERE session_id = ? AND removed_at IS NULL ORDER BY seq DESC LIMIT ?`,
      sessionId,
      limit,
    )
    .toArray()
    .reverse()
    .map(toMessage);
}

/** One message that is still shown, with its session. */
export function findMessage(
  storage: DurableObjectStorage,
  id: string,
): { session_id: string; message: Message } | null {
  const [row] = storage.sql
    .exec<MessageRow>(`SELECT ${COLUMNS} FROM messages WHERE id = ? AND removed_at IS NULL`, id)
    .toArray();
  return row ? { session_id: row.session_id, message: toMessage(row) } : null;
}

/** Messages dropped by a clear or a deletion within the last 30 days, in the order they had. */
export function listRemoved(storage: DurableObjectStorage, sessionId: string): Message[] {
  return storage.sql
    .exec<MessageRow>(
      `SELECT ${COLUMNS} FROM messages WHERE session_id = ? AND removed_at IS NOT NULL ORDER BY seq`,
      sessionId,
    )
    .toArray()
    .map(toMessage);
}

export type AppendCheck =
  /** `fresh`: the messages not stored yet. */
  | { kind: "ok"; fresh: Message[] }
  | { kind: "refused"; code: "invalid_input" | "conflict"; detail: string }
  /** These ids were dropped by a clear or a deletion: storing them again would undo it. */
  | { kind: "removed"; ids: string[] };

/** Decides about all messages of one append before any is written: they are stored together or not at all. */
export function checkAppend(
  storage: DurableObjectStorage,
  sessionId: string,
  messages: readonly Message[],
): AppendCheck {
  const fresh = new Map<string, Message>();
  const removed: string[] = [];
  for (const raw of messages) {
    const message = wellFormed(raw);
    const invalid = whyInvalid(message);
    if (invalid) return { kind: "refused", code: "invalid_input", detail: invalid };
    const stored = findMessage(storage, message.id);
    const earlier = fresh.get(message.id) ?? stored?.message;
    if (stored && stored.session_id !== sessionId) {
      return refuse(`Message ${message.id} belongs to another session.`);
    }
    if (earlier && !sameMessage(earlier, message)) {
      return refuse(`Message ${message.id} exists with other content; messages never change.`);
    }
    if (earlier) continue;
    if (wasRemoved(storage, message.id)) removed.push(message.id);
    else fresh.set(message.id, message);
  }
  return removed.length ? { kind: "removed", ids: removed } : { kind: "ok", fresh: [...fresh.values()] };
}

/** Stores checked messages in order, titles an untitled session, and keeps the search index in step. */
export function appendMessages(
  storage: DurableObjectStorage,
  session: StoredSession,
  messages: readonly Message[],
  deviceId: string,
  now: string,
): StoredSession {
  if (!messages.length) return session;
  const title = session.fields.title ? "" : titleFromMessages(messages);
  const titled = title ? saveFields(storage, session, { title }, null, now) : session;
  let seq = titled.seq;
  for (const message of messages) {
    seq = record(storage, { kind: "message", entity: message.id, sessionId: session.id });
    storage.sql.exec(
      `INSERT INTO messages (${COLUMNS}, device_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      message.id,
      session.id,
      seq,
      message.parent_id,
      message.role,
      message.content,
      message.created_at,
      message.model ?? null,
      message.metadata ? canonicalJson(message.metadata) : null,
      deviceId,
    );
    const { id, role, content } = message;
    indexMessage(storage, { id, sessionId: session.id, title: titled.fields.title, role, content });
  }
  return noteMessages(storage, titled, messages.length, seq, now);
}

/**
 * Drops messages from a session: all of them, or with `only` those up to a log position and the device's own.
 * They stay restorable for 30 days.
 */
export function removeMessages(
  storage: DurableObjectStorage,
  session: StoredSession,
  now: string,
  only?: { seenSeq: number; deviceId: string },
): StoredSession {
  const removed = storage.sql
    .exec<{ id: string; seq: number }>(
      `UPDATE messages SET removed_at = ? WHERE session_id = ? AND removed_at IS NULL AND (seq <= ? OR device_id = ?)
       RETURNING id, seq`,
      now,
      session.id,
      only?.seenSeq ?? Number.MAX_SAFE_INTEGER,
      only?.deviceId ?? "",
    )
    .toArray()
    .sort((a, b) => a.seq - b.seq);
  if (!removed.length) return session;
  let seq = session.seq;
  for (const { id } of removed) {
    seq = record(storage, { kind: "message", entity: id, sessionId: session.id, deleted: true });
  }
  const ids = removed.map(({ id }) => id);
  unindexMessages(storage, session.id, ids);
  return noteMessages(storage, session, -removed.length, seq, now);
}

/** Messages after a log position that another device (or a chat call) wrote. */
export function countUnseen(
  storage: DurableObjectStorage,
  sessionId: string,
  seenSeq: number,
  deviceId: string,
): number {
  return storage.sql
    .exec<{ n: number }>(
      "SELECT count(*) AS n FROM messages WHERE session_id = ? AND removed_at IS NULL AND seq > ? AND device_id <> ?",
      sessionId,
      seenSeq,
      deviceId,
    )
    .one().n;
}

const refuse = (detail: string): AppendCheck => ({ kind: "refused", code: "conflict", detail });

function wasRemoved(storage: DurableObjectStorage, id: string): boolean {
  const query = "SELECT 1 FROM changes WHERE kind = 'message' AND entity = ? AND deleted = 1";
  return storage.sql.exec(query, id).toArray().length > 0;
}

// SQLite keeps UTF-8, where a lone surrogate has no form: replaced on the way in, so that a repeat compares equal.
function wellFormed(message: Message): Message {
  return { ...message, content: message.content.toWellFormed(), model: message.model?.toWellFormed() };
}

function whyInvalid(message: Message): string | null {
  if (!ID_PATTERN.test(message.id)) return "A message id must be 1 to 128 characters of A-Z, a-z, 0-9, _ and -.";
  if (Buffer.byteLength(message.content) > MAX_CONTENT_BYTES) {
    return `The content of message ${message.id} is larger than 1 MiB.`;
  }
  if (message.metadata && Buffer.byteLength(canonicalJson(message.metadata)) > MAX_METADATA_BYTES) {
    return `The metadata of message ${message.id} is larger than 64 KiB.`;
  }
  return null;
}

/** The clock of the writing device is no content: a retry may carry a later one. */
function sameMessage(a: Message, b: Message): boolean {
  const content = ({ created_at: _clock, parent_id, model, metadata, ...rest }: Message) =>
    canonicalJson({ ...rest, parent_id: parent_id ?? null, model: model ?? null, metadata: metadata ?? null });
  return content(a) === content(b);
}

function toMessage(row: MessageRow): Message {
  return {
    id: row.id,
    parent_id: row.parent_id,
    role: row.role as Role,
    content: row.content,
    created_at: row.created_at,
    ...(row.model === null ? {} : { model: row.model }),
    ...(row.metadata === null ? {} : { metadata: JSON.parse(row.metadata) as Record<string, unknown> }),
  };
}
