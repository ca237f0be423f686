-- Position in its ledger of the record a usage row shows: an older copy that arrives late never replaces a newer one.
ALTER TABLE usage_records ADD COLUMN pos INTEGER NOT NULL DEFAULT 0;

-- The audit log is appended to and never changed: a call whose outcome became known later has a second line. Each line of
-- an account carries the hash of the one before. Lines without `seq` are from before the chain.
ALTER TABLE audit_logs RENAME TO audit_logs_before_chain;
DROP INDEX audit_logs_by_account;
CREATE TABLE audit_logs (
  id TEXT NOT NULL,
  account TEXT NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT,
  via TEXT NOT NULL,
  status TEXT NOT NULL,
  duration_ms INTEGER,
  seq INTEGER,
  prev TEXT,
  hash TEXT
);
INSERT INTO audit_logs (id, account, at, actor, action, subject, via, status, duration_ms)
SELECT id, account, at, actor, action, subject, via, status, duration_ms FROM audit_logs_before_chain;
DROP TABLE audit_logs_before_chain;
CREATE UNIQUE INDEX audit_logs_chain ON audit_logs (account, seq) WHERE seq IS NOT NULL;
CREATE UNIQUE INDEX audit_logs_unchained ON audit_logs (id) WHERE seq IS NULL;
CREATE INDEX audit_logs_by_account ON audit_logs (account, at);

-- What the nightly comparison of the books with the ledgers found.
CREATE TABLE reconciliation_runs (
  id TEXT PRIMARY KEY,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  -- The last account that was compared: where a run that was cut off goes on.
  cursor TEXT NOT NULL,
  accounts INTEGER NOT NULL,
  -- Accounts that never held still long enough to be compared.
  busy INTEGER NOT NULL,
  drifts INTEGER NOT NULL
);
CREATE INDEX reconciliation_runs_by_start ON reconciliation_runs (started_at);
CREATE TABLE reconciliation_drifts (
  run TEXT NOT NULL,
  account TEXT NOT NULL,
  month TEXT NOT NULL,
  book TEXT NOT NULL,
  field TEXT NOT NULL,
  ledger INTEGER NOT NULL,
  d1 INTEGER NOT NULL,
  PRIMARY KEY (run, account, month, book, field)
);
