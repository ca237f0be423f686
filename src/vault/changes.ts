import type { Cursor } from "./types.ts";

/**
 * The one change log of a vault. Every change to anything takes the next `seq`; only the newest entry of an entity is
 * kept, so the log is as long as the vault has entities and a device that pulls from any cursor converges.
 */

export type ChangeKind = "session" | "message" | "document";

export interface LogEntry {
  seq: number;
  kind: ChangeKind;
  entity: string;
  /** The session of a message or session, so that one session can be pulled alone. */
  session_id: string | null;
  deleted: boolean;
}

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS vault_meta (id INTEGER PRIMARY KEY CHECK (id = 1), epoch TEXT NOT NULL, seq INTEGER NOT NULL);
    CREATE TABLE IF NOT EXISTS changes (
      seq INTEGER PRIMARY KEY,
      kind TEXT NOT NULL,
      entity TEXT NOT NULL,
      session_id TEXT,
      deleted INTEGER NOT NULL DEFAULT 0,
      UNIQUE (kind, entity)
    );
    CREATE INDEX IF NOT EXISTS changes_by_session ON changes (session_id, seq) WHERE session_id IS NOT NULL;
  `);
  storage.sql.exec(
    "INSERT OR IGNORE INTO vault_meta (id, epoch, seq) VALUES (1, ?, 0)",
    crypto.randomUUID().replaceAll("-", ""),
  );
}

/** Where the log stands now. */
export function head(storage: DurableObjectStorage): Cursor {
  return storage.sql.exec<{ epoch: string; seq: number }>("SELECT epoch, seq FROM vault_meta WHERE id = 1").one();
}

const listeners = new WeakMap<DurableObjectStorage, () => void>();

/** Called whenever a change is logged, in the transaction that may still fail. */
export function onRecord(storage: DurableObjectStorage, listener: () => void): void {
  listeners.set(storage, listener);
}

/** Logs a change to an entity and returns its `seq`. Call it in the transaction that makes the change. */
export function record(
  storage: DurableObjectStorage,
  change: { kind: ChangeKind; entity: string; sessionId?: string; deleted?: boolean },
): number {
  const { seq } = storage.sql
    .exec<{ seq: number }>("UPDATE vault_meta SET seq = seq + 1 WHERE id = 1 RETURNING seq")
    .one();
  storage.sql.exec(
    "INSERT OR REPLACE INTO changes (seq, kind, entity, session_id, deleted) VALUES (?, ?, ?, ?, ?)",
    seq,
    change.kind,
    change.entity,
    change.sessionId ?? null,
    change.deleted ? 1 : 0,
  );
  listeners.get(storage)?.();
  return seq;
}

/** Log entries after `seq`, oldest first. */
export function since(
  storage: DurableObjectStorage,
  seq: number,
  limit: number,
  only: { kinds?: readonly ChangeKind[]; sessionId?: string } = {},
): LogEntry[] {
  const where = ["seq > ?"];
  const bind: (string | number)[] = [seq];
  if (only.kinds) {
    where.push("kind IN (SELECT value FROM json_each(?))");
    bind.push(JSON.stringify(only.kinds));
  }
  if (only.sessionId !== undefined) {
    where.push("session_id = ?");
    bind.push(only.sessionId);
  }
  return storage.sql
    .exec<{ seq: number; kind: ChangeKind; entity: string; session_id: string | null; deleted: number }>(
      `SELECT seq, kind, entity, session_id, deleted FROM changes WHERE ${where.join(" AND ")} ORDER BY seq LIMIT ?`,
      ...bind,
      limit,
    )
    .toArray()
    .map((row) => ({ ...row, deleted: row.deleted === 1 }));
}
