/**
 * Values that no longer show: replaced ones, and those that lost a conflict. Kept 30 days, like removed messages, so
 * that no edit is lost to a merge.
 */

export const RETENTION_DAYS = 30;

export interface HistoryEntry {
  session_id: string;
  /** `title`, `model_preference`, `framing`, `local_knowledge` or `constraints`. */
  field: string;
  value: unknown;
  /** `replaced`: it was stored until another value came; `conflict`: it was proposed and not taken. */
  reason: "replaced" | "conflict";
  /** The device that wrote the value; empty when the server did. */
  device_id: string;
  /** The mutation that replaced it or that proposed it. */
  mutation_id: string;
  /** ISO 8601. */
  at: string;
}

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS session_history (
      n INTEGER PRIMARY KEY AUTOINCREMENT,
      session_id TEXT NOT NULL,
      field TEXT NOT NULL,
      value TEXT NOT NULL,
      reason TEXT NOT NULL,
      device_id TEXT NOT NULL,
      mutation_id TEXT NOT NULL,
      at TEXT NOT NULL
    );
    CREATE INDEX IF NOT EXISTS session_history_by_session ON session_history (session_id, n);
    CREATE INDEX IF NOT EXISTS session_history_by_age ON session_history (at);
  `);
}

export function keep(storage: DurableObjectStorage, entry: HistoryEntry): void {
  storage.sql.exec(
    "INSERT INTO session_history (session_id, field, value, reason, device_id, mutation_id, at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    entry.session_id,
    entry.field,
    JSON.stringify(entry.value),
    entry.reason,
    entry.device_id,
    entry.mutation_id,
    entry.at,
  );
}

/** What a session's fields held or were meant to hold before, oldest first. */
export function listHistory(storage: DurableObjectStorage, sessionId: string): HistoryEntry[] {
  return storage.sql
    .exec<Omit<HistoryEntry, "value"> & { value: string }>(
      "SELECT session_id, field, value, reason, device_id, mutation_id, at FROM session_history WHERE session_id = ? ORDER BY n",
      sessionId,
    )
    .toArray()
    .map((row) => ({ ...row, value: JSON.parse(row.value) as unknown }));
}

/** Forgets replaced values, removed messages and the fields of deleted sessions once they are 30 days old. */
export function forgetExpired(storage: DurableObjectStorage, now: Date): void {
  const before = new Date(now.getTime() - RETENTION_DAYS * 86_400_000).toISOString();
  // In slices: a vault that slept for months must not spend a whole turn on this.
  storage.sql.exec(
    "DELETE FROM session_history WHERE n IN (SELECT n FROM session_history WHERE at < ? LIMIT 500)",
    before,
  );
  storage.sql.exec("DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE removed_at < ? LIMIT 500)", before);
  storage.sql.exec(
    `UPDATE sessions SET title = '', model_preference = NULL, context = '{}', marks = '{}', scrubbed = 1
     WHERE deleted = 1 AND scrubbed = 0 AND meta_updated_at < ?`,
    before,
  );
}
