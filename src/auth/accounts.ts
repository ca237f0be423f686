import type { Env } from "../env.ts";
import { unwrap, WaypostError } from "../errors.ts";
import type {
  CreditMoved,
  KeyAuthor,
  KeyBudget,
  KeyChanges,
  KeyInfo,
  LedgerAudit,
  RateLimits,
} from "../ledger/types.ts";
import type { Role } from "./directory.ts";
import { mintKey, newAccountId, newUserId } from "./keys.ts";
import { isOperator } from "./operator.ts";
import { SCOPE_NAMES, type Scope } from "./scopes.ts";

export interface AccountInfo {
  account: string;
  name: string;
  plan: string;
  created_at: string;
}

export interface NewAccount {
  name: string;
  plan: string;
  /** It is the account that owns the installation. */
  owner?: boolean;
  /** Ids to use; absent: random ones. */
  account?: string;
  user?: string;
  /** Default: as the account's. */
  userName?: string;
  email?: string | null;
  /** Default `owner`. */
  role?: Role;
}

export interface NewKeySpec {
  name: string;
  user: string;
  scopes: readonly Scope[];
  /** Milliseconds since the epoch; null = never. */
  expiresAt: number | null;
  limits: Partial<RateLimits> | null;
  budget?: KeyBudget | null;
}

export interface IssuedKey extends KeyInfo {
  /** The whole key, shown this once. */
  api_key: string;
}

/** Opens accounts and manages their keys: the directory in D1, the authority in each account's ledger. */
export class Accounts {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /**
   * Opens an account with its first user. With ids given (derived from an issuer's own), repeating it changes nothing.
   * @throws WaypostError `invalid_input` when there is no such plan
   */
  async create(spec: NewAccount): Promise<AccountInfo & { user: string }> {
    const account = spec.account ?? newAccountId();
    const user = spec.user ?? newUserId();
    const now = new Date().toISOString();
    // The ledger first: an account is only listed once it can hold keys and money.
    unwrap(await this.#ledger(account).open(account, spec.plan));
    await this.#env.DB.batch([
      this.#env.DB.prepare(
        "INSERT INTO accounts (id, name, plan, owner, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
      ).bind(account, spec.name, spec.plan, spec.owner ? 1 : 0, now),
      this.#env.DB.prepare(
        "INSERT INTO users (id, name, email, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
      ).bind(user, spec.userName ?? spec.name, spec.email ?? null, now),
      // An account has one owner: of two who open it at once, the second becomes a member.
      this.#env.DB.prepare(
        `INSERT INTO members (account, user, role, created_at)
         SELECT ?1, ?2, CASE WHEN ?3 = 'owner' AND EXISTS (SELECT 1 FROM members WHERE account = ?1 AND role = 'owner')
                             THEN 'member' ELSE ?3 END, ?4
         WHERE true ON CONFLICT DO NOTHING`,
      ).bind(account, user, spec.role ?? "owner", now),
    ]);
    return { account, name: spec.name, plan: spec.plan, created_at: now, user };
  }

  /** @throws WaypostError `not_found` */
  async get(account: string): Promise<AccountInfo & { user: string }> {
    const row = await this.#env.DB.prepare(
      `SELECT a.id AS account, a.name, a.plan, a.created_at, m.user FROM accounts a
       JOIN members m ON m.account = a.id AND m.role = 'owner' WHERE a.id = ?`,
    )
      .bind(account)
      .first<AccountInfo & { user: string }>();
    if (!row) throw new WaypostError("not_found", "There is no such account.");
    return row;
  }

  /** The account that owns this installation, or null before it was set up. */
  async owner(): Promise<(AccountInfo & { user: string }) | null> {
    const row = await this.#env.DB.prepare("SELECT id FROM accounts WHERE owner = 1").first<{ id: string }>();
    return row ? this.get(row.id) : null;
  }

  /** Creates the owner account. @throws WaypostError `conflict` when there is one */
  async createOwner(): Promise<IssuedKey & { account: string }> {
    if (await this.owner()) throw new WaypostError("conflict", "The owner account exists already.");
    const created = await this.create({ name: "owner", plan: "enterprise", owner: true }).catch(async (error) => {
      // Two setups at once: the directory admits one owner.
      if (await this.owner()) throw new WaypostError("conflict", "The owner account exists already.");
      throw error;
    });
    return this.issueOwnerKey(created);
  }

  /** A new key with every scope for the owner. */
  async issueOwnerKey(owner: { account: string; user: string }): Promise<IssuedKey & { account: string }> {
    const spec = { name: "owner", user: owner.user, scopes: SCOPE_NAMES, expiresAt: null, limits: null };
    return { ...(await this.issueKey(owner.account, spec)), account: owner.account };
  }

  /**
   * Makes a key. `by`: whose credential asks for it, which gives no more than it has; absent: the operator.
   * @throws WaypostError `insufficient_scope`, `exceeds_own_key`
   */
  async issueKey(account: string, spec: NewKeySpec, by?: KeyAuthor): Promise<IssuedKey> {
    if (spec.scopes.includes("admin") && !(await isOperator(this.#env, account))) {
      throw new WaypostError(
        "insufficient_scope",
        "Only keys of the account that owns this server can carry `admin`.",
        {
          required_scope: "admin",
        },
      );
    }
    const { key, id, hash } = await mintKey(account);
    const info = await this.#ledger(account).createKey({ ...spec, scopes: [...spec.scopes], id, hash }, by);
    return { ...unwrap(info), api_key: key };
  }

  /** @throws WaypostError `not_found`, `exceeds_own_key` */
  async updateKey(account: string, keyId: string, changes: KeyChanges, by?: KeyAuthor): Promise<KeyInfo> {
    return unwrap(await this.#ledger(account).updateKey(keyId, changes, by));
  }

  /**
   * Gives a key a new secret; the present one works on for `overlapSeconds`.
   * @throws WaypostError `not_found`, `conflict` when it was revoked or expired, `insufficient_scope`, `exceeds_own_key`
   */
  async rotateKey(account: string, keyId: string, overlapSeconds: number, by?: KeyAuthor): Promise<IssuedKey> {
    const { key, hash } = await mintKey(account);
    const secret = { hash, overlapMs: overlapSeconds * 1_000 };
    return { ...unwrap(await this.#ledger(account).rotateKey(keyId, secret, by)), api_key: key };
  }

  async listKeys(account: string): Promise<KeyInfo[]> {
    return unwrap(await this.#ledger(account).listKeys());
  }

  /** @throws WaypostError `not_found`, `exceeds_own_key` */
  async revokeKey(account: string, keyId: string, by?: KeyAuthor): Promise<KeyInfo> {
    return unwrap(await this.#ledger(account).revokeKey(keyId, by));
  }

  /** Moves an account to another plan. @throws WaypostError `not_found`, `invalid_input` when there is no such plan */
  async setPlan(account: string, plan: string): Promise<AccountInfo & { user: string }> {
    const info = await this.get(account);
    // The ledger first: it is the authority, the directory only lists.
    unwrap(await this.#ledger(account).setPlan(plan));
    await this.#env.DB.prepare("UPDATE accounts SET plan = ? WHERE id = ?").bind(plan, account).run();
    return { ...info, plan };
  }

  /** Sets or (null) removes the model that `auto` takes for an account. @throws WaypostError `exceeds_own_key` */
  async prefer(account: string, model: string | null, by: KeyAuthor): Promise<void> {
    unwrap(await this.#ledger(account).prefer(model, by));
  }

  /**
   * What is not kept in the ledger is no more a limited key's to change than what is.
   * @param what ends the sentence "A key that is limited does not …"
   * @throws WaypostError `exceeds_own_key`
   */
  async allow(account: string, by: KeyAuthor, what: string): Promise<void> {
    unwrap(await this.#ledger(account).allows(by, what));
  }

  /** Adds prepaid credit once per `id`. @throws WaypostError `not_found`, `conflict` when the id stands for another amount */
  async addCredit(
    account: string,
    { id, nano, note, keyId }: { id: string; nano: number; note: string; keyId: string },
  ): Promise<CreditMoved> {
    await this.get(account);
    return unwrap(await this.#ledger(account).credit(id, nano, note, keyId));
  }

  /** The ledger checked against itself. */
  async audit(account: string): Promise<LedgerAudit> {
    return unwrap(await this.#ledger(account).audit());
  }

  #ledger(account: string) {
    return this.#env.LEDGER.get(this.#env.LEDGER.idFromName(account));
  }
}
