-- When the issuer last said something about an identity, in ms since the epoch by its clock: an older message changes nothing.
ALTER TABLE identities ADD COLUMN as_of INTEGER;

CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (received_at);
