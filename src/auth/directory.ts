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

/** A user as the operator's list shows them. */
export interface ListedUser extends User {
  accounts: Membership[];
  /** When they last used a passkey, ISO 8601; null when they never did. */
  passkey_used_at: string | null;
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

  /** Whether the user has any way to sign in. */
  async canSignIn(user: string): Promise<boolean> {
    const row = await this.#db
      .prepare(
        `SELECT EXISTS (SELECT 1 FROM passkeys WHERE user = ?1) OR EXISTS (SELECT 1 FROM identities WHERE user = ?1) AS can`,
      )
      .bind(user)
      .first<{ can: number }>();
    return row?.can === 1;
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

  /** Ids of the users who belong to an account. */
  async membersOf(account: string): Promise<string[]> {
    const members = this.#db.prepare("SELECT user FROM members WHERE account = ?").bind(account);
    return (await members.all<{ user: string }>()).results.map(({ user }) => user);
  }

  /** Every user there ever was, oldest first. `after`: the `next` of the page before. */
  async users(limit: number, after: { created_at: string; id: string } | null) {
    const { results } = await this.#db
      .prepare(
        `SELECT u.*, (SELECT max(last_used_at) FROM passkeys p WHERE p.user = u.id) AS passkey_used_at FROM users u
         WHERE (u.created_at, u.id) > (?, ?) ORDER BY u.created_at, u.id LIMIT ?`,
      )
      .bind(after?.created_at ?? "", after?.id ?? "", limit + 1)
      .all<Omit<ListedUser, "accounts">>();
    const page = results.slice(0, limit);
    const memberships = await this.#membershipsOfAll(page.map(({ id }) => id));
    const users: ListedUser[] = page.map((user) => ({ ...user, accounts: memberships.get(user.id) ?? [] }));
    const last = page.at(-1);
    return { users, next: results.length > limit && last ? { created_at: last.created_at, id: last.id } : null };
  }

  async #membershipsOfAll(users: readonly string[]): Promise<Map<string, Membership[]>> {
    const { results } = await this.#db
      .prepare(
        `SELECT m.user, a.id AS account, a.name, a.plan, m.role, a.owner FROM members m JOIN accounts a ON a.id = m.account
         WHERE m.user IN (SELECT value FROM json_each(?)) ORDER BY m.role = 'owner' DESC, m.created_at, a.id`,
      )
      .bind(JSON.stringify(users))
      .all<Omit<Membership, "operator"> & { user: string; owner: number }>();
    const of = new Map<string, Membership[]>();
    for (const { user, owner, ...membership } of results) {
      of.set(user, [...(of.get(user) ?? []), { ...membership, operator: owner === 1 }]);
    }
    return of;
  }

  /**
   * Removes a user, known or not: every way to sign in goes, and what they were called. The mark stays, so that records keep
   * pointing at somebody, and nothing that arrives late brings them back. Repeating it changes nothing.
   */
  async removeUser(user: string): Promise<void> {
    const mark = this.#db
      .prepare(
        `INSERT INTO users (id, name, created_at, deleted_at) VALUES (?1, 'removed user', ?2, ?2)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, email = NULL, deleted_at = coalesce(users.deleted_at, excluded.deleted_at)`,
      )
      .bind(user, new Date().toISOString());
    const forget = ["identities", "passkeys", "invitations"].map((table) =>
      this.#db.prepare(`DELETE FROM ${table} WHERE user = ?`).bind(user),
    );
    await this.#db.batch([mark, ...forget]);
  }

  async rename(user: string, facts: { name?: string; email?: string | null }): Promise<void> {
    await this.#db
      .prepare("UPDATE users SET name = coalesce(?, name), email = coalesce(?, email) WHERE id = ?")
      .bind(facts.name ?? null, facts.email ?? null, user)
      .run();
  }
}
