import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { fail, ok, type Result } from "../errors.ts";
import { AccountLedger } from "./account_ledger.ts";
import { monthOf } from "./calendar.ts";
import type { NewSecret } from "./key_manager.ts";
import { unknownKey } from "./keyring.ts";
import { parsePlans } from "./plans.ts";
import { Store } from "./store.ts";
import type * as T from "./types.ts";

/**
 * Keys, limits and money of one account. This class is the object's life: opening, waking, alarms, RPC; what is decided
 * is decided in `AccountLedger`. Asking about an account that was never opened leaves no trace.
 */
export class Ledger extends DurableObject<Env> {
  readonly #store: Store;
  #ledger: AccountLedger | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new Store(ctx.storage);
    if (this.#store.exists()) {
      this.#store.upgrade();
      this.#ledger = this.#wake();
    }
  }

  /** Opens the account. Opening it again changes nothing. */
  async open(account: string, plan: string): Promise<Result<{ opened: boolean }>> {
    if (!parsePlans(this.env.PLANS).has(plan)) return fail("invalid_input", `There is no plan "${plan}".`);
    if (this.#ledger) return ok({ opened: false });
    const now = Date.now();
    this.ctx.storage.transactionSync(() => this.#store.create({ account, plan }, monthOf(now), now));
    this.#ledger = this.#wake();
    return ok({ opened: true });
  }

  /**
   * Takes a `T.AdmitRequest` and gives a `T.AdmitReply`, both as JSON: on the path of every call, and one string crosses
   * the border a fifth faster than the object it stands for.
   */
  async admit(request: string): Promise<string> {
    return JSON.stringify(this.#ledger ? await this.#ledger.admit(JSON.parse(request)) : unknownKey);
  }

  async identify(caller: T.Caller): Promise<T.IdentifyReply> {
    return this.#ledger ? this.#ledger.identify(caller) : unknownKey;
  }

  async reserve(request: T.ReserveRequest): Promise<Result<{ grantedOutputTokens: number }>> {
    return this.#with((ledger) => ledger.reserve(request));
  }

  async settle(request: T.SettleRequest): Promise<Result<T.Settlement>> {
    return this.#with((ledger) => ledger.settle(request));
  }

  /**
   * Moves the account to another plan, from the next call on. With `asOf` (ms since the epoch) it is a statement of that
   * time, and a newer one that was heard before stands. Returns the plan the account is on.
   */
  async setPlan(plan: string, asOf?: number): Promise<Result<{ plan: string }>> {
    return this.#with((ledger) => ledger.setPlan(plan, asOf));
  }

  /** Shuts a user out of this account, with whatever credential; blocking again changes nothing. */
  async blockUser(user: string): Promise<Result<{ blocked: boolean }>> {
    return this.#with((ledger) => ledger.blockUser(user));
  }

  async unblockUser(user: string): Promise<Result<{ blocked: boolean }>> {
    return this.#with((ledger) => ledger.unblockUser(user));
  }

  async createKey(spec: T.KeySpec, by?: T.KeyAuthor): Promise<Result<T.KeyInfo>> {
    return this.#with((ledger) => ledger.keys.create(spec, Date.now(), by));
  }

  async updateKey(id: string, changes: T.KeyChanges, by?: T.KeyAuthor): Promise<Result<T.KeyInfo>> {
    return this.#with((ledger) => ledger.keys.update(id, changes, Date.now(), by));
  }

  async rotateKey(id: string, secret: NewSecret, by?: T.KeyAuthor): Promise<Result<T.KeyInfo>> {
    return this.#with((ledger) => ledger.keys.rotate(id, secret, Date.now(), by));
  }

  async revokeKey(id: string): Promise<Result<T.KeyInfo>> {
    return this.#with((ledger) => ledger.keys.revoke(id, Date.now()));
  }

  /** Revokes all keys of a user in this account; `revoked` counts those that still worked. */
  async revokeKeysOf(user: string): Promise<Result<{ revoked: number }>> {
    return this.#with((ledger) => ok({ revoked: ledger.keys.revokeOf(user, Date.now()) }));
  }

  async listKeys(): Promise<Result<T.KeyInfo[]>> {
    return this.#with((ledger) => ok(ledger.keys.list()));
  }

  /** Adds prepaid credit once per `id`. `nano` is a positive whole number of nano-USD. */
  async credit(id: string, nano: number, note: string, keyId: string): Promise<Result<{ balanceNano: number }>> {
    return this.#with((ledger) => ledger.credit(id, nano, note, keyId));
  }

  async audit(): Promise<Result<T.LedgerAudit>> {
    return this.#with((ledger) => ledger.audit());
  }

  override async alarm(): Promise<void> {
    await this.#ledger?.onAlarm(this.env.DB);
  }

  #wake(): AccountLedger {
    return new AccountLedger(this.#store, this.ctx.storage, parsePlans(this.env.PLANS), {
      now: () => Date.now(),
      onBroken: (error) =>
        this.ctx.abort(`ledger could not be written: ${error instanceof Error ? error.name : "error"}`),
    });
  }

  async #with<R>(use: (ledger: AccountLedger) => Result<R> | Promise<Result<R>>): Promise<Result<R>> {
    return this.#ledger ? use(this.#ledger) : fail("not_found", "There is no such account.");
  }
}
