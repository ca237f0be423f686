import { record } from "./changes.ts";
import type { FieldMarks, SessionFields } from "./mutation_merge.ts";
import type { SessionContext, SessionSummary } from "./types.ts";

/** The sessions table. Everything here expects to run inside the caller's transaction. */

/** A session as stored. Tombstones stay, so that a late append or edit can be told what happened. */
export interface StoredSession {
  id: string;
  fields: SessionFields;
  marks: FieldMarks;
  message_count: number;
  created_at: string;
  /** Last activity of any kind, messages included: what lists are sorted by. */
  updated_at: string;
  seq: number;
  /** Last change of the session itself: its place in the log. Messages have places of their own. */
  meta_updated_at: string;
  meta_seq: number;
  deleted: boolean;
  deleted_by: string | null;
}

interface SessionRow extends Record<string, SqlStorageValue> {
  id: string;
  title: string;
  model_preference: string | null;
  context: string;
  marks: string;
  message_count: number;
  created_at: string;
  updated_at: string;
  seq: number;
  meta_updated_at: string;
  meta_seq: number;
  deleted: number;
  deleted_by: string | null;
}

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS sessions (
      id TEXT PRIMARY KEY,
      title TEXT NOT NULL DEFAULT '',
      model_preference TEXT,
      context TEXT NOT NULL DEFAULT '{}',
      marks TEXT NOT NULL DEFAULT '{}',
      message_count INTEGER NOT NULL DEFAULT 0,
      created_at TEXT NOT NULL,
      updated_at TEXT NOT NULL,
      seq INTEGER NOT NULL,
      meta_updated_at TEXT NOT NULL,
      meta_seq INTEGER NOT NULL,
      deleted INTEGER NOT NULL DEFAULT 0,
      deleted_by TEXT,
      scrubbed INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX IF NOT EXISTS sessions_by_activity ON sessions (seq) WHERE deleted = 0;
    CREATE INDEX IF NOT EXISTS sessions_to_scrub ON sessions (meta_updated_at) WHERE deleted = 1 AND scrubbed = 0;
  `);
}

/** The session or its tombstone; null when the id was never used. */
export function findSession(storage: DurableObjectStorage, id: string): StoredSession | null {
  const [row] = storage.sql.exec<SessionRow>("SELECT * FROM sessions WHERE id = ?", id).toArray();
  return row ? toSession(row) : null;
}

export function listLiveSessions(storage: DurableObjectStorage, beforeSeq: number, limit: number): StoredSession[] {
  return storage.sql
    .exec<SessionRow>(
      "SELECT * FROM sessions WHERE deleted = 0 AND seq < ? ORDER BY seq DESC LIMIT ?",
      beforeSeq,
      limit,
    )
    .toArray()
    .map(toSession);
}

export function countLiveSessions(storage: DurableObjectStorage): number {
  return storage.sql.exec<{ n: number }>("SELECT count(*) AS n FROM sessions WHERE deleted = 0").one().n;
}

export function insertSession(storage: DurableObjectStorage, id: string, now: string): StoredSession {
  const seq = record(storage, { kind: "session", entity: id, sessionId: id });
  storage.sql.exec(
    "INSERT INTO sessions (id, created_at, updated_at, seq, meta_updated_at, meta_seq) VALUES (?, ?, ?, ?, ?, ?)",
    id,
    now,
    now,
    seq,
    now,
    seq,
  );
  return findSession(storage, id) as StoredSession;
}

/** Stores new field values, logged as a change of the session. `markBy`: the device that set them; null for derived values. */
export function saveFields(
  storage: DurableObjectStorage,
  session: StoredSession,
  values: Partial<SessionFields>,
  markBy: string | null,
  now: string,
): StoredSession {
  const fields = { ...session.fields, ...values };
  const seq = record(storage, { kind: "session", entity: session.id, sessionId: session.id });
  const marks: FieldMarks = { ...session.marks };
  if (markBy !== null) {
    for (const field of Object.keys(values) as (keyof SessionFields)[]) marks[field] = { seq, device: markBy };
  }
  storage.sql.exec(
    `UPDATE sessions SET title = ?, model_preference = ?, context = ?, marks = ?,
       updated_at = ?, seq = ?, meta_updated_at = ?, meta_seq = ? WHERE id = ?`,
    fields.title,
    fields.model_preference,
    JSON.stringify(contextOf(fields)),
    JSON.stringify(marks),
    now,
    seq,
    now,
    seq,
    session.id,
  );
  return { ...session, fields, marks, seq, updated_at: now, meta_seq: seq, meta_updated_at: now };
}

/** Notes that messages of the session changed, up to log position `seq`. */
export function noteMessages(
  storage: DurableObjectStorage,
  session: StoredSession,
  added: number,
  seq: number,
  now: string,
): StoredSession {
  storage.sql.exec(
    "UPDATE sessions SET message_count = message_count + ?, updated_at = ?, seq = ? WHERE id = ?",
    added,
    now,
    seq,
    session.id,
  );
  return { ...session, message_count: session.message_count + added, updated_at: now, seq };
}

/** Turns the session into a tombstone and returns its log position. */
export function markDeleted(storage: DurableObjectStorage, id: string, deviceId: string, now: string): number {
  const seq = record(storage, { kind: "session", entity: id, sessionId: id, deleted: true });
  storage.sql.exec(
    `UPDATE sessions SET deleted = 1, deleted_by = ?, updated_at = ?, seq = ?, meta_updated_at = ?, meta_seq = ?
     WHERE id = ?`,
    deviceId,
    now,
    seq,
    now,
    seq,
    id,
  );
  return seq;
}

export function contextOf(fields: SessionFields): SessionContext {
  return {
    ...(fields.framing ? { framing: fields.framing } : {}),
    ...(fields.local_knowledge.length ? { local_knowledge: fields.local_knowledge } : {}),
    ...(fields.constraints.length ? { constraints: fields.constraints } : {}),
  };
}

export function summaryOf(session: StoredSession): SessionSummary {
  return {
    id: session.id,
    title: session.fields.title,
    model_preference: session.fields.model_preference,
    message_count: session.message_count,
    created_at: session.created_at,
    updated_at: session.updated_at,
    seq: session.seq,
  };
}

function toSession(row: SessionRow): StoredSession {
  const context = JSON.parse(row.context) as SessionContext;
  return {
    id: row.id,
    fields: {
      title: row.title,
      model_preference: row.model_preference,
      framing: context.framing ?? "",
      local_knowledge: context.local_knowledge ?? [],
      constraints: context.constraints ?? [],
    },
    marks: JSON.parse(row.marks) as FieldMarks,
    message_count: row.message_count,
    created_at: row.created_at,
    updated_at: row.updated_at,
    seq: row.seq,
    meta_updated_at: row.meta_updated_at,
    meta_seq: row.meta_seq,
    deleted: row.deleted === 1,
    deleted_by: row.deleted_by,
  };
}
