import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { Directory, type ExternalIdentity, type User } from "./directory.ts";
import { hashKey, randomText } from "./keys.ts";
import { urlsOf } from "./urls.ts";

const SECRET_LENGTH = 40;
const SECRET = /^[0-9a-z]{40}$/;

/** An invitation that can still be used. Both parameters: the hash of its secret, the time now. */
const OPEN = "hash = ? AND used_at IS NULL AND expires_at > ?";

/**
 * One-time links by which a person takes possession of a user that exists. Only the hash of a link's secret is stored. Using one
 * stores the person's credential and ends every open link of that user, in one transaction: a failed attempt costs
 * nothing, and of two people with the same link one gets in.
 */
export class Invitations {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /** @throws WaypostError `not_found` when there is no such user */
  async create(user: string, options: { expiresInSeconds: number }): Promise<{ url: string; expires_at: string }> {
    const { issuer } = urlsOf(this.#env);
    const secret = randomText(SECRET_LENGTH);
    const now = new Date();
    const expiresAt = new Date(now.getTime() + options.expiresInSeconds * 1_000).toISOString();
    const hash = await hashKey(secret);
    const [inserted] = await this.#env.DB.batch([
      this.#env.DB.prepare(
        `INSERT INTO invitations (hash, user, created_at, expires_at)
         SELECT ?, id, ?, ? FROM users WHERE id = ? AND deleted_at IS NULL`,
      ).bind(hash, now.toISOString(), expiresAt, user),
      this.#env.DB.prepare("DELETE FROM invitations WHERE user = ? AND expires_at <= ?").bind(user, now.toISOString()),
    ]);
    if (!inserted?.meta.changes) throw new WaypostError("not_found", "There is no such user.");
    return { url: `${issuer}/claim/${secret}`, expires_at: expiresAt };
  }

  /** Whose link it is, while it can be used; changes nothing. */
  async look(secret: string): Promise<User | null> {
    if (!SECRET.test(secret)) return null;
    const row = await this.#env.DB.prepare(`SELECT user FROM invitations WHERE ${OPEN}`)
      .bind(await hashKey(secret), new Date().toISOString())
      .first<{ user: string }>();
    return row ? new Directory(this.#env).user(row.user) : null;
  }

  /** Uses the link up. The user for the one caller who did, null for everyone else. */
  async use(secret: string): Promise<User | null> {
    return this.#useWith(secret, () => []);
  }

  /** Uses the link up and lets its user sign in with an identity. @throws WaypostError `conflict` when it is another user's */
  async useToLink(secret: string, { issuer, subject, label }: ExternalIdentity): Promise<User | null> {
    return this.#useWith(secret, (hash, now) => {
      const insert = this.#env.DB.prepare(
        `INSERT INTO identities (issuer, subject, user, label, created_at)
         SELECT ?, ?, user, ?, ? FROM invitations WHERE ${OPEN}
         ON CONFLICT (issuer, subject) DO UPDATE
         SET user = CASE WHEN identities.user = excluded.user THEN excluded.user END, label = excluded.label`,
      ).bind(issuer, subject, label, now, hash, now);
      return [{ statement: insert, conflict: "This identity belongs to another user." }];
    });
  }

  /** Uses the link up and stores a credential of its user's. */
  async useToAdd(
    secret: string,
    credential: (where: string, bindings: [hash: string, now: string]) => D1PreparedStatement,
    conflict: string,
  ): Promise<User | null> {
    return this.#useWith(secret, (hash, now) => [{ statement: credential(OPEN, [hash, now]), conflict }]);
  }

  /** Removes what expired. Returns how many there were. */
  async purge(now = new Date()): Promise<number> {
    const { meta } = await this.#env.DB.prepare("DELETE FROM invitations WHERE expires_at <= ?")
      .bind(now.toISOString())
      .run();
    return meta.changes;
  }

  async #useWith(
    secret: string,
    first: (hash: string, now: string) => { statement: D1PreparedStatement; conflict: string }[],
  ): Promise<User | null> {
    const user = await this.look(secret);
    if (!user) return null;
    const hash = await hashKey(secret);
    const now = new Date().toISOString();
    const steps = first(hash, now);
    const use = this.#env.DB.prepare(
      `UPDATE invitations SET used_at = ? WHERE used_at IS NULL
       AND user = (SELECT user FROM invitations WHERE ${OPEN})`,
    ).bind(now, hash, now);
    // A batch is one transaction: the credential is only stored while the link is open, and only together with its use.
    const results = await this.#env.DB.batch([...steps.map(({ statement }) => statement), use]).catch((error) => {
      const conflict = /constraint failed/i.test(String(error)) ? steps[0]?.conflict : undefined;
      throw conflict ? new WaypostError("conflict", conflict) : error;
    });
    return (results.at(-1)?.meta.changes ?? 0) > 0 ? user : null;
  }
}
