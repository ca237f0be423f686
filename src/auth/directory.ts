import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** A person. `deleted_at` is set for one who was removed. */
export interface User {
  id: string;
  name: string;
  email: string | null;
  created_at: string;
  deleted_at: string | null;
}

export type Role = "owner" | "admin" | "member";

/** One account a user belongs to. `operator`: it is the account that owns the installation. */
export interface Membership {
  account: string;
  name: string;
  plan: string;
  role: Role;
  operator: boolean;
}

/** A user as an issuer knows them. */
export interface ExternalIdentity {
  issuer: string;
  subject: string;
  /** What people call it: a login name or an e-mail address. */
  label: string | null;
}

/** Users, the accounts they belong to and the identities they sign in with: the directory in D1. Never on a call's path. */
export class Directory {
  readonly #db: D1Database;

  constructor(env: Pick<Env, "DB">) {
    this.#db = env.DB;
  }

  /** The user, unless there is none or they were removed. */
  async user(id: string): Promise<User | null> {
    return this.#db.prepare("SELECT * FROM users WHERE id = ? AND deleted_at IS NULL").bind(id).first<User>();
  }

  async userOf({ issuer, subject }: Pick<ExternalIdentity, "issuer" | "subject">): Promise<User | null> {
    return this.#db
      .prepare(
        `SELECT u.* FROM identities i JOIN users u ON u.id = i.user
         WHERE i.issuer = ? AND i.subject = ? AND u.deleted_at IS NULL`,
      )
      .bind(issuer, subject)
      .first<User>();
  }

  /**
   * Lets a user sign in with an identity. Repeating it changes nothing but the label.
   * @throws WaypostError `conflict` when the identity is another user's
   */
  async link(user: string, { issuer, subject, label }: ExternalIdentity): Promise<void> {
    const row = await this.#db
      .prepare(
        `INSERT INTO identities (issuer, subject, user, label, created_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (issuer, subject) DO UPDATE SET label = excluded.label WHERE identities.user = excluded.user RETURNING user`,
      )
      .bind(issuer, subject, user, label, new Date().toISOString())
      .first();
    if (!row) throw new WaypostError("conflict", "This identity belongs to another user.");
  }

  async identitiesOf(user: string): Promise<ExternalIdentity[]> {
    const { results } = await this.#db
      .prepare("SELECT issuer, subject, label FROM identities WHERE user = ? ORDER BY created_at")
      .bind(user)
      .all<ExternalIdentity>();
    return results;
  }

  /** Accounts the user belongs to, the ones they own first. */
  async membershipsOf(user: string): Promise<Membership[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT a.id AS account, a.name, a.plan, m.role, a.owner FROM members m JOIN accounts a ON a.id = m.account
         WHERE m.user = ? ORDER BY m.role = 'owner' DESC, m.created_at, a.id`,
      )
      .bind(user)
      .all<Omit<Membership, "operator"> & { owner: number }>();
    return results.map(({ owner, ...membership }) => ({ ...membership, operator: owner === 1 }));
  }

  async rename(user: string, facts: { name?: string; email?: string | null }): Promise<void> {
    await this.#db
      .prepare("UPDATE users SET name = coalesce(?, name), email = coalesce(?, email) WHERE id = ?")
      .bind(facts.name ?? null, facts.email ?? null, user)
      .run();
  }
}
