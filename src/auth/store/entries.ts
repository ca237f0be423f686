/** Key-value entries with expiry and metadata in one object's SQLite: the shape of KV, strongly consistent. */

export interface EntryOptions {
  /** Milliseconds since the epoch; absent = never. */
  expiresAt?: number;
  /** Anything JSON; comes back in listings without reading the value. */
  metadata?: unknown;
}

export interface EntryKey {
  name: string;
  expiresAt: number | null;
  metadata: unknown;
}

export interface EntryPage {
  keys: EntryKey[];
  /** Name to continue after; null at the end. */
  next: string | null;
}

/** An entry as it is stored. */
export interface Entry {
  name: string;
  value: string;
  expiresAt: number | null;
}

export class Entries {
  readonly #sql: SqlStorage;
  readonly #storage: DurableObjectStorage;
  /** Once there, the table stays until `clear`. */
  #known = false;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
  }

  /** An object that was only ever asked writes nothing, not even its table. */
  #exists(): boolean {
    this.#known ||=
      this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'entries'").toArray().length > 0;
    return this.#known;
  }

  #open(): void {
    if (this.#exists()) return;
    this.#sql.exec(
      "CREATE TABLE entries (name TEXT PRIMARY KEY, value TEXT NOT NULL, metadata TEXT NOT NULL, expires_at INTEGER) WITHOUT ROWID",
    );
    this.#sql.exec("CREATE INDEX entries_by_expiry ON entries (expires_at) WHERE expires_at IS NOT NULL");
  }

  get(name: string, now = Date.now()): string | null {
    if (!this.#exists()) return null;
    const [row] = this.#sql
      .exec<{ value: string }>(
        "SELECT value FROM entries WHERE name = ? AND (expires_at IS NULL OR expires_at > ?)",
        name,
        now,
      )
      .toArray();
    return row?.value ?? null;
  }

  put(name: string, value: string, options: EntryOptions = {}): void {
    this.#open();
    this.#sql.exec(
      "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)",
      name,
      value,
      JSON.stringify(options.metadata ?? null),
      options.expiresAt ?? null,
    );
  }

  /** Replaces the value alone: expiry and metadata stay. */
  change(name: string, value: string): void {
    if (this.#exists()) this.#sql.exec("UPDATE entries SET value = ? WHERE name = ?", value, name);
  }

  /** True when there was one. */
  delete(name: string): boolean {
    return (
      this.#exists() && this.#sql.exec("DELETE FROM entries WHERE name = ? RETURNING 1", name).toArray().length > 0
    );
  }

  /** Removes every entry whose name begins so. */
  deleteAll(prefix: string): void {
    if (this.#exists()) {
      this.#sql.exec("DELETE FROM entries WHERE name >= ? AND substr(name, 1, length(?)) = ?", prefix, prefix, prefix);
    }
  }

  /** Every live entry whose name begins so, by name. */
  all(prefix: string, now = Date.now()): Entry[] {
    if (!this.#exists()) return [];
    return this.#sql
      .exec<{ name: string; value: string; expires_at: number | null }>(
        `SELECT name, value, expires_at FROM entries
         WHERE name >= ? AND substr(name, 1, length(?)) = ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY name`,
        prefix,
        prefix,
        prefix,
        now,
      )
      .toArray()
      .map(({ name, value, expires_at }) => ({ name, value, expiresAt: expires_at }));
  }

  /** By name, in order. */
  list(prefix: string, limit: number, after = "", now = Date.now()): EntryPage {
    if (!this.#exists()) return { keys: [], next: null };
    const rows = this.#sql
      .exec<{ name: string; metadata: string; expires_at: number | null }>(
        `SELECT name, metadata, expires_at FROM entries
         WHERE name > ? AND substr(name, 1, length(?)) = ? AND (expires_at IS NULL OR expires_at > ?) ORDER BY name LIMIT ?`,
        after > prefix ? after : prefix.slice(0, -1),
        prefix,
        prefix,
        now,
        limit + 1,
      )
      .toArray();
    const page = rows.slice(0, limit);
    return {
      keys: page.map((row) => ({ name: row.name, expiresAt: row.expires_at, metadata: JSON.parse(row.metadata) })),
      next: rows.length > limit ? (page.at(-1)?.name ?? null) : null,
    };
  }

  /** Removes what has expired. Returns when the next entry will, null when none ever will. */
  purge(now = Date.now()): { left: number; nextAt: number | null } {
    if (!this.#exists()) return { left: 0, nextAt: null };
    this.#sql.exec("DELETE FROM entries WHERE expires_at <= ?", now);
    const row = this.#sql
      .exec<{ n: number; at: number | null }>("SELECT count(*) AS n, min(expires_at) AS at FROM entries")
      .one();
    return { left: row.n, nextAt: row.at };
  }

  async clear(): Promise<void> {
    this.#known = false;
    await this.#storage.deleteAll();
  }
}
