-- The directory: who exists.
CREATE TABLE accounts (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  plan TEXT NOT NULL,
  owner INTEGER NOT NULL DEFAULT 0,
  created_at TEXT NOT NULL
);
-- At most one account owns the installation.
CREATE UNIQUE INDEX one_owner ON accounts (owner) WHERE owner = 1;

CREATE TABLE users (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL
);

-- An account is a workspace: it has members with roles.
CREATE TABLE members (
  account TEXT NOT NULL REFERENCES accounts (id),
  user TEXT NOT NULL REFERENCES users (id),
  role TEXT NOT NULL,
  created_at TEXT NOT NULL,
  PRIMARY KEY (account, user)
);
CREATE INDEX members_by_user ON members (user);

-- The books: what happened, copied from the ledgers for reports. Never the authority for a balance or a limit.
CREATE TABLE usage_records (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  at TEXT NOT NULL,
  tool TEXT NOT NULL,
  model TEXT,
  key_id TEXT NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost_nano INTEGER NOT NULL,
  credit_nano INTEGER NOT NULL,
  status TEXT NOT NULL,
  estimated INTEGER NOT NULL
);
CREATE INDEX usage_records_by_account ON usage_records (account, at);

-- Absolute totals as of a ledger position, so that a repeated or late flush changes nothing.
CREATE TABLE monthly_usage (
  account TEXT NOT NULL,
  month TEXT NOT NULL,
  calls INTEGER NOT NULL,
  errors INTEGER NOT NULL,
  input_tokens INTEGER NOT NULL,
  output_tokens INTEGER NOT NULL,
  cost_nano INTEGER NOT NULL,
  as_of INTEGER NOT NULL,
  PRIMARY KEY (account, month)
);

CREATE TABLE audit_logs (
  id TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT,
  via TEXT NOT NULL,
  status TEXT NOT NULL,
  duration_ms INTEGER
);
CREATE INDEX audit_logs_by_account ON audit_logs (account, at);
