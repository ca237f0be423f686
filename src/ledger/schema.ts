/**
 * The ledger's tables. A ledger lives for years and wakes under newer code than it was opened with, so the tables are the
 * first ones ever made and every change since, in order; a new ledger takes the same steps as an old one.
 */

const FIRST = `
  CREATE TABLE account (id INTEGER PRIMARY KEY CHECK (id = 1), account TEXT NOT NULL, plan TEXT NOT NULL, created_at INTEGER NOT NULL);
  CREATE TABLE keys (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, user TEXT NOT NULL, scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER, limits TEXT
  );
  CREATE TABLE books (
    id INTEGER PRIMARY KEY CHECK (id = 1), balance_nano INTEGER NOT NULL, settled_cost_nano INTEGER NOT NULL,
    month TEXT NOT NULL, tokens_used INTEGER NOT NULL
  );
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, key_id TEXT NOT NULL,
    hold_nano INTEGER NOT NULL, credit_nano INTEGER NOT NULL, tokens INTEGER NOT NULL, cost_nano INTEGER NOT NULL, detail TEXT NOT NULL
  );
  CREATE UNIQUE INDEX entries_once ON entries (call_id, kind);
  CREATE TABLE holds (call_id TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE call_batches (
    pos INTEGER PRIMARY KEY, calls INTEGER NOT NULL, metered INTEGER NOT NULL, cost_nano INTEGER NOT NULL, months TEXT NOT NULL, newest TEXT NOT NULL, body TEXT NOT NULL
  );
  CREATE TABLE tally (
    day TEXT NOT NULL, tool TEXT NOT NULL, model TEXT NOT NULL, key_id TEXT NOT NULL, calls INTEGER NOT NULL, errors INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nano INTEGER NOT NULL,
    PRIMARY KEY (day, tool, model, key_id)
  ) WITHOUT ROWID;
  CREATE TABLE windows (scope TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE results (
    key TEXT PRIMARY KEY, input_hash TEXT NOT NULL, call_id TEXT NOT NULL, result TEXT NOT NULL, cost_nano INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  );
  CREATE INDEX results_by_expiry ON results (expires_at);
  CREATE TABLE outbox (id INTEGER PRIMARY KEY CHECK (id = 1), acked INTEGER NOT NULL);
`;

/** Each is applied once to each ledger, in this order: append, never change one. */
const CHANGES: readonly string[] = [
  `
  ALTER TABLE account ADD COLUMN plan_as_of INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE keys ADD COLUMN budget TEXT;
  ALTER TABLE keys ADD COLUMN created_by TEXT;
  ALTER TABLE keys ADD COLUMN within TEXT;
  ALTER TABLE keys ADD COLUMN previous TEXT;
  CREATE TABLE blocked_users (user TEXT PRIMARY KEY, at INTEGER NOT NULL);
  CREATE INDEX tally_by_key ON tally (key_id, day);
  `,
  `
  CREATE INDEX entries_of_credit ON entries (seq) WHERE kind IN ('credit', 'refund', 'dispute', 'adjust', 'notice');
  CREATE TABLE auto_top_up (id INTEGER PRIMARY KEY CHECK (id = 1), body TEXT NOT NULL);
  `,
  `
  CREATE TABLE tally_of_seven (
    day TEXT NOT NULL, tool TEXT NOT NULL, model TEXT NOT NULL, key_id TEXT NOT NULL, session TEXT NOT NULL, user TEXT NOT NULL,
    client TEXT NOT NULL, calls INTEGER NOT NULL, errors INTEGER NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cost_nano INTEGER NOT NULL, PRIMARY KEY (day, tool, model, key_id, session, user, client)
  ) WITHOUT ROWID;
  INSERT INTO tally_of_seven SELECT day, tool, model, key_id, '', '', '', calls, errors, input_tokens, output_tokens, cost_nano FROM tally;
  DROP TABLE tally;
  ALTER TABLE tally_of_seven RENAME TO tally;
  CREATE INDEX tally_by_key ON tally (key_id, day);
  CREATE INDEX call_batches_by_newest ON call_batches (newest);
  ALTER TABLE results ADD COLUMN settlement TEXT;
  `,
  `
  CREATE TABLE budgets (id TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE spending (
    slot INTEGER NOT NULL, tool TEXT NOT NULL, key_id TEXT NOT NULL, cost_nano INTEGER NOT NULL, PRIMARY KEY (slot, tool, key_id)
  ) WITHOUT ROWID;
  INSERT INTO spending
    SELECT unixepoch(c.value ->> 'at') / 900, c.value ->> 'tool', c.value ->> 'key_id', sum(c.value ->> 'cost_nano')
    FROM call_batches b, json_each(b.body) c WHERE b.cost_nano > 0 AND c.value ->> 'cost_nano' > 0 GROUP BY 1, 2, 3;
  CREATE TABLE notices (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, once TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, type TEXT NOT NULL, message TEXT NOT NULL,
    data TEXT NOT NULL, ends_at INTEGER
  );
  CREATE TABLE credit_mark (
    id INTEGER PRIMARY KEY CHECK (id = 1), mark INTEGER NOT NULL, base_nano INTEGER NOT NULL
  );
  CREATE TABLE webhooks (id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, created_at INTEGER NOT NULL);
  CREATE TABLE deliveries (
    seq INTEGER NOT NULL, webhook TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, next_at INTEGER, last_status INTEGER,
    PRIMARY KEY (seq, webhook)
  );
  CREATE INDEX deliveries_by_due ON deliveries (next_at) WHERE next_at IS NOT NULL;
  `,
  `
  CREATE TABLE audit_chain (id INTEGER PRIMARY KEY CHECK (id = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL);
  INSERT INTO audit_chain VALUES (1, 0, '${"0".repeat(64)}');
  `,
  `
  ALTER TABLE account ADD COLUMN prefers TEXT;
  `,
  `
  CREATE TABLE redo (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
  `,
  `
  ALTER TABLE redo ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE redo_epoch (id INTEGER PRIMARY KEY CHECK (id = 1), epoch INTEGER NOT NULL);
  INSERT INTO redo_epoch VALUES (1, 0);
  `,
];

export function createTables(sql: SqlStorage): void {
  sql.exec(FIRST);
  upgradeTables(sql);
}

/** Applies the changes a ledger has not seen yet. Call it in a transaction. */
export function upgradeTables(sql: SqlStorage): void {
  const version = versionOf(sql);
  if (version === CHANGES.length) return;
  for (const change of CHANGES.slice(version)) sql.exec(change);
  sql.exec("CREATE TABLE IF NOT EXISTS schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL)");
  sql.exec("INSERT OR REPLACE INTO schema VALUES (1, ?)", CHANGES.length);
}

/** How many changes the tables have seen. */
function versionOf(sql: SqlStorage): number {
  const kept = sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema'").toArray().length > 0;
  return kept ? sql.exec<{ version: number }>("SELECT version FROM schema WHERE id = 1").one().version : 0;
}
