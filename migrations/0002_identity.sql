-- Who the users are, and how each can sign in.
ALTER TABLE users ADD COLUMN email TEXT;
-- Set when the user was removed; the row stays, so that records keep pointing at somebody.
ALTER TABLE users ADD COLUMN deleted_at TEXT;

-- A user as another issuer knows them: GitHub, an OIDC issuer, a JWT issuer.
CREATE TABLE identities (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user TEXT NOT NULL REFERENCES users (id),
  label TEXT,
  created_at TEXT NOT NULL,
  PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_by_user ON identities (user);

CREATE TABLE passkeys (
  -- WebAuthn credential id and COSE public key, base64url.
  id TEXT PRIMARY KEY,
  user TEXT NOT NULL REFERENCES users (id),
  public_key TEXT NOT NULL,
  counter INTEGER NOT NULL,
  transports TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  last_used_at TEXT
);
CREATE INDEX passkeys_by_user ON passkeys (user);

-- One-time links by which a person takes possession of a user that exists: only the hash of the link's secret.
CREATE TABLE invitations (
  hash TEXT PRIMARY KEY,
  user TEXT NOT NULL REFERENCES users (id),
  created_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  used_at TEXT
);
CREATE INDEX invitations_by_user ON invitations (user);

-- Webhook deliveries that were acted on, so that a repeated one is not; kept as long as a signature can be valid.
CREATE TABLE webhook_deliveries (
  id TEXT PRIMARY KEY,
  received_at TEXT NOT NULL
);
