-- Signed messages of the payment provider about money that could not be booked: kept for the operator, never lost.
CREATE TABLE unmatched_payments (
  event_id TEXT PRIMARY KEY,
  type TEXT NOT NULL,
  object_id TEXT NOT NULL,
  -- What the payment names as its account, if anything; it may not exist.
  account TEXT,
  amount_cents INTEGER,
  currency TEXT,
  reason TEXT NOT NULL,
  received_at TEXT NOT NULL
);
CREATE INDEX unmatched_payments_by_time ON unmatched_payments (received_at);
