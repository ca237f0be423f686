import { canonicalHash } from "./canonical.ts";
import type { Mutation, MutationOutcome } from "./types.ts";

/**
 * What each device asked before, so that a repeated mutation changes nothing. Bounded: the newest 10,000 mutations of a
 * device are remembered. An older one that comes back is applied again, which stores no message twice (message ids)
 * and overwrites no field that changed since (its base is old by then).
 */
const REMEMBERED_PER_DEVICE = 10_000;

export interface Remembered {
  hash: string;
  outcome: MutationOutcome;
}

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS devices (id TEXT PRIMARY KEY, pushed INTEGER NOT NULL, last_push_at TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS device_mutations (
      device_id TEXT NOT NULL,
      mutation_id TEXT NOT NULL,
      n INTEGER NOT NULL,
      hash TEXT NOT NULL,
      outcome TEXT NOT NULL,
      PRIMARY KEY (device_id, mutation_id)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS device_mutations_by_age ON device_mutations (device_id, n);
  `);
}

export const hashMutation = (mutation: Mutation): string => canonicalHash(mutation);

export function recall(storage: DurableObjectStorage, deviceId: string, mutationId: string): Remembered | null {
  const [row] = storage.sql
    .exec<{ hash: string; outcome: string }>(
      "SELECT hash, outcome FROM device_mutations WHERE device_id = ? AND mutation_id = ?",
      deviceId,
      mutationId,
    )
    .toArray();
  return row ? { hash: row.hash, outcome: JSON.parse(row.outcome) as MutationOutcome } : null;
}

export function remember(
  storage: DurableObjectStorage,
  deviceId: string,
  entries: readonly Remembered[],
  now: string,
): void {
  if (!entries.length) return;
  const { pushed } = storage.sql
    .exec<{ pushed: number }>(
      `INSERT INTO devices (id, pushed, last_push_at) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET pushed = pushed + excluded.pushed, last_push_at = excluded.last_push_at
       RETURNING pushed`,
      deviceId,
      entries.length,
      now,
    )
    .one();
  entries.forEach(({ hash, outcome }, i) => {
    storage.sql.exec(
      "INSERT INTO device_mutations (device_id, mutation_id, n, hash, outcome) VALUES (?, ?, ?, ?, ?)",
      deviceId,
      outcome.id,
      pushed - entries.length + i + 1,
      hash,
      JSON.stringify(outcome),
    );
  });
  storage.sql.exec(
    "DELETE FROM device_mutations WHERE device_id = ? AND n <= ?",
    deviceId,
    pushed - REMEMBERED_PER_DEVICE,
  );
}
