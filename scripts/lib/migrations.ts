/** One `.sql` file. */
export interface Migration {
  name: string;
  statements: string[];
}

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

/** Applies the migrations that the database has not had yet, in their order, each whole or not at all. */
export async function applyMigrations(database: Database, migrations: Migration[]): Promise<void> {
  await database.prepare(TABLE).all();
  const { results } = await database.prepare("SELECT name FROM d1_migrations").all();
  const applied = new Set(results.map((row) => row.name));
  for (const { name, statements } of migrations.filter(({ name }) => !applied.has(name))) {
    await database.batch([
      ...statements.map((sql) => database.prepare(sql)),
      database.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name),
    ]);
  }
}
