import { ok, type Result } from "../errors.ts";
import type { CachedAnswer, KeptAnswer } from "./types.ts";

/** Answers of models kept for a while, so that the same question need not be asked again. Not part of the change log. */

/** Bytes of answers kept for an account; the ones used longest ago go first. */
const MOST_BYTES = 16 * 1024 * 1024;
/** An answer longer than this is not worth its place. */
const MOST_OF_ONE = 512 * 1024;
const SLICE = 200;

export function createSchema(storage: DurableObjectStorage): void {
  storage.sql.exec(`
    CREATE TABLE IF NOT EXISTS response_cache (
      key TEXT PRIMARY KEY,
      answer TEXT NOT NULL,
      bytes INTEGER NOT NULL,
      used INTEGER NOT NULL,
      expires_at INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS response_cache_by_use ON response_cache (used);
    CREATE INDEX IF NOT EXISTS response_cache_by_end ON response_cache (expires_at);
    CREATE TABLE IF NOT EXISTS response_cache_size (id INTEGER PRIMARY KEY CHECK (id = 1), bytes INTEGER NOT NULL, uses INTEGER NOT NULL);
    INSERT OR IGNORE INTO response_cache_size (id, bytes, uses) VALUES (1, 0, 0);
  `);
}

/** The answer kept under a key, or null; being asked for makes it the newest. */
export function cachedAnswer(storage: DurableObjectStorage, key: string, now: number): Result<CachedAnswer | null> {
  return storage.transactionSync(() => {
    const [row] = storage.sql
      .exec<{ answer: string }>("SELECT answer FROM response_cache WHERE key = ? AND expires_at > ?", key, now)
      .toArray();
    if (!row) return ok(null);
    storage.sql.exec("UPDATE response_cache SET used = ? WHERE key = ?", nextUse(storage), key);
    return ok(JSON.parse(row.answer) as CachedAnswer);
  });
}

/** Keeps an answer in the place of an older one. Returns whether it was kept. */
export function keepAnswer(
  storage: DurableObjectStorage,
  { key, answer, ttlMs }: KeptAnswer,
  now: number,
): Result<boolean> {
  const text = JSON.stringify(answer);
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > MOST_OF_ONE) return ok(false);
  storage.transactionSync(() => {
    drop(storage, "key = ?", key);
    storage.sql.exec(
      "INSERT INTO response_cache (key, answer, bytes, used, expires_at) VALUES (?, ?, ?, ?, ?)",
      key,
      text,
      bytes,
      nextUse(storage),
      now + ttlMs,
    );
    storage.sql.exec("UPDATE response_cache_size SET bytes = bytes + ?", bytes);
    while (sizeOf(storage) > MOST_BYTES) {
      drop(storage, "key IN (SELECT key FROM response_cache ORDER BY used LIMIT 1)");
    }
  });
  return ok(true);
}

/** Drops a slice of what has expired. Returns when to come again, in ms since the epoch; null when nothing is left. */
export function purgeAnswers(storage: DurableObjectStorage, now: number): number | null {
  return storage.transactionSync(() => {
    drop(
      storage,
      "key IN (SELECT key FROM response_cache WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)",
      now,
      SLICE,
    );
    const { next } = storage.sql
      .exec<{ next: number | null }>("SELECT MIN(expires_at) AS next FROM response_cache")
      .one();
    return next === null ? null : Math.max(next, now);
  });
}

function drop(storage: DurableObjectStorage, which: string, ...bind: (string | number)[]): void {
  const gone = storage.sql.exec<{ bytes: number }>(
    `DELETE FROM response_cache WHERE ${which} RETURNING bytes`,
    ...bind,
  );
  const bytes = gone.toArray().reduce((sum, row) => sum + row.bytes, 0);
  if (bytes > 0) storage.sql.exec("UPDATE response_cache_size SET bytes = bytes - ?", bytes);
}

const sizeOf = (storage: DurableObjectStorage): number =>
  storage.sql.exec<{ bytes: number }>("SELECT bytes FROM response_cache_size").one().bytes;

/** A count instead of a clock, which stands still within a request. */
const nextUse = (storage: DurableObjectStorage): number =>
  storage.sql.exec<{ uses: number }>("UPDATE response_cache_size SET uses = uses + 1 RETURNING uses").one().uses;
