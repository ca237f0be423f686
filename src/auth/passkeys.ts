import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { User } from "./directory.ts";
import { Invitations } from "./invitations.ts";
import { displayName } from "./sign_up.ts";

/** A passkey as its owner sees it. */
export interface PasskeyInfo {
  /** WebAuthn credential id, base64url. */
  id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
}

/** A passkey that a browser made and that was verified, not yet anybody's. */
export interface NewPasskey {
  id: string;
  /** COSE, base64url. */
  publicKey: string;
  counter: number;
  transports: string[];
}

/** A stored passkey with what its verification needs. */
export interface StoredPasskey extends NewPasskey {
  user: User;
}

const COLUMNS = "(id, user, public_key, counter, transports, name, created_at)";
const TAKEN = "This passkey is in use already.";

/** The passkeys people sign in with: rows of the directory. */
export class Passkeys {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /** Oldest first. */
  async list(user: string): Promise<PasskeyInfo[]> {
    const { results } = await this.#env.DB.prepare(
      "SELECT id, name, created_at, last_used_at FROM passkeys WHERE user = ? ORDER BY created_at, id",
    )
      .bind(user)
      .all<PasskeyInfo>();
    return results;
  }

  /** @throws WaypostError `conflict` when the passkey is stored already */
  async add(user: string, passkey: NewPasskey, name: string): Promise<void> {
    const row = await this.#env.DB.prepare(
      `INSERT INTO passkeys ${COLUMNS} VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING RETURNING id`,
    )
      .bind(passkey.id, user, ...valuesOf(passkey, name))
      .first();
    if (!row) throw new WaypostError("conflict", TAKEN);
  }

  /** Stores the first passkey of an invited user and uses the invitation up, both or neither. Null: the link is not valid. */
  async addInvited(secret: string, passkey: NewPasskey, name: string): Promise<User | null> {
    const statement = (where: string, bindings: [string, string]) =>
      this.#env.DB.prepare(
        `INSERT INTO passkeys ${COLUMNS} SELECT ?, user, ?, ?, ?, ?, ? FROM invitations WHERE ${where}`,
      ).bind(passkey.id, ...valuesOf(passkey, name), ...bindings);
    return new Invitations(this.#env).useToAdd(secret, statement, TAKEN);
  }

  /** The passkey of that id, unless its user was removed. */
  async find(id: string): Promise<StoredPasskey | null> {
    const row = await this.#env.DB.prepare(
      `SELECT p.public_key, p.counter, p.transports, u.* FROM passkeys p JOIN users u ON u.id = p.user
       WHERE p.id = ? AND u.deleted_at IS NULL`,
    )
      .bind(id)
      .first<User & { public_key: string; counter: number; transports: string }>();
    if (!row) return null;
    const { public_key: publicKey, counter, transports, ...user } = row;
    return { id, publicKey, counter, transports: JSON.parse(transports), user };
  }

  /**
   * Records a use. False when the signature counter did not go up: the authenticator was copied, or a signature repeated
   * (WebAuthn 6.1.1). Passkeys that are synced do not count and stay at 0.
   */
  async used(id: string, counter: number): Promise<boolean> {
    const { meta } = await this.#env.DB.prepare(
      "UPDATE passkeys SET counter = ?1, last_used_at = ?2 WHERE id = ?3 AND (counter < ?1 OR (counter = 0 AND ?1 = 0))",
    )
      .bind(counter, new Date().toISOString(), id)
      .run();
    return meta.changes > 0;
  }

  /**
   * Removes a user's passkey.
   * @param otherWays issuers through which people can sign in here
   * @throws WaypostError `not_found`; `conflict` when it is the last way in
   */
  async remove(user: string, id: string, otherWays: readonly string[]): Promise<void> {
    const issuers = otherWays.map((_, i) => `?${i + 3}`).join(", ");
    // One statement, so that two removals at once leave one.
    const { meta } = await this.#env.DB.prepare(
      `DELETE FROM passkeys WHERE id = ?1 AND user = ?2 AND (
         (SELECT count(*) FROM passkeys WHERE user = ?2) > 1
         OR EXISTS (SELECT 1 FROM identities WHERE user = ?2 AND issuer IN (${issuers})))`,
    )
      .bind(id, user, ...otherWays)
      .run();
    if (meta.changes > 0) return;
    const own = (await this.list(user)).some((passkey) => passkey.id === id);
    if (!own) throw new WaypostError("not_found", "There is no such passkey.");
    throw new WaypostError("conflict", "This is the last way to sign in: add another one first.");
  }
}

const valuesOf = (passkey: NewPasskey, name: string) => [
  passkey.publicKey,
  passkey.counter,
  JSON.stringify(passkey.transports),
  displayName(name),
  new Date().toISOString(),
];
