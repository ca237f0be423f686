import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { unstable_splitSqlQuery } from "wrangler";

/** The part of D1 that is needed, whichever package's types describe it. */
interface Database {
  prepare(sql: string): Statement;
  batch(statements: Statement[]): Promise<unknown>;
}
interface Statement {
  bind(...values: unknown[]): Statement;
  all(): Promise<{ results: Record<string, unknown>[] }>;
}

// As `wrangler d1 migrations apply` keeps it, so that either can continue the other's work.
const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Applies the `.sql` files of `dir` that the database has not had yet, in the order of their numbers, each whole or not at all. */
export async function applyMigrations(database: Database, dir: string): Promise<void> {
  await database.prepare(TABLE).all();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map((row) => row.name));
  const pending = readdirSync(dir).filter((name) => name.endsWith(".sql") && !applied.has(name));
  for (const name of pending.sort()) {
    const statements = unstable_splitSqlQuery(readFileSync(join(dir, name), "utf8"));
    await database.batch([
      ...statements.map((sql) => database.prepare(sql)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
}
