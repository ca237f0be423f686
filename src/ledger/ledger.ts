import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { fail, ok, type Result } from "../errors.ts";
import { lazily } from "../lazily.ts";
import { sendWebhook } from "../net/send_webhook.ts";
import { allowsLoopback } from "../net/webhook_target.ts";
import { AccountLedger } from "./account_ledger.ts";
import type { AutoTopUp } from "./auto_top_up.ts";
import type { Budget, BudgetState, NoticeInfo, WebhookInfo } from "./budget_types.ts";
import { BUILT_IN } from "./built_in_plans.ts";
import { monthOf } from "./calendar.ts";
import type { Credits } from "./credits.ts";
import type { Ingestion } from "./ingest.ts";
import type { NewSecret } from "./key_manager.ts";
import { unknownKey } from "./keyring.ts";
import type { AuditHeads, LedgerBooks } from "./reconcile.ts";
import type { UsagePage, UsageQuery } from "./report_types.ts";
import { Resident } from "./resident.ts";
import { Seal } from "./seal.ts";
import { Store } from "./store.ts";
import type * as T from "./types.ts";
import type { Webhooks } from "./webhooks.ts";

const charging = lazily(() => import("../billing/charge.ts"));

/** Reads the setting, if there is one, with a library that a start does without. */
const setting = lazily(() => import("./plans.ts"));
const plansOf = async ({ PLANS }: Env): Promise<ReadonlyMap<string, T.Plan>> =>
  PLANS ? (await setting()).parsePlans(PLANS) : BUILT_IN;

/**
 * Keys, limits and money of one account. This class is the object's life: opening, waking, alarms, RPC; what is decided
 * is decided in `AccountLedger`. Asking about an account that was never opened leaves no trace.
 */
export class Ledger extends DurableObject<Env> {
  readonly #store: Store;
  readonly #seal: Seal;
  #ledger: AccountLedger | null = null;
  #resident: Resident | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new Store(ctx.storage);
    this.#seal = new Seal(ctx.storage);
    if (this.#store.exists()) {
      this.#store.upgrade();
      if (!env.PLANS) this.#ledger = this.#wake(BUILT_IN);
      else {
        void ctx.blockConcurrencyWhile(async () => {
          this.#ledger = this.#wake(await plansOf(env));
        });
      }
    }
  }

  /** Opens the account. Opening it again changes nothing. */
  async open(account: string, plan: string): Promise<Result<{ opened: boolean }>> {
    const plans = await plansOf(this.env);
    if (!plans.has(plan)) return fail("invalid_input", `There is no plan "${plan}".`);
    if (this.#ledger) return ok({ opened: false });
    const now = Date.now();
    this.ctx.storage.transactionSync(() => this.#store.create({ account, plan }, monthOf(now), now));
    this.#ledger = this.#wake(plans);
    return ok({ opened: true });
  }

  /**
   * Takes a `T.AdmitRequest` and gives a `T.AdmitReply`, both as JSON: on the path of every call, and one string crosses
   * the border a fifth faster than the object it stands for.
   */
  async admit(request: string): Promise<string> {
    this.#resident?.present();
    return JSON.stringify(this.#ledger ? await this.#ledger.admit(JSON.parse(request)) : unknownKey);
  }

  /** Sees to what was decided elsewhere in this isolate. */
  async tend(): Promise<void> {
    this.#resident?.present();
  }

  /** As `Resident.keep`. */
  async keep(life: string): Promise<boolean> {
    return this.#resident?.keep(life) ?? false;
  }

  /** As `AccountLedger.flush`. */
  async flush(): Promise<void> {
    this.#ledger?.flush();
  }

  async identify(caller: T.Caller): Promise<T.IdentifyReply> {
    return this.#ledger ? this.#ledger.identify(caller) : unknownKey;
  }

  async reserve(request: T.ReserveRequest): Promise<Result<{ grantedOutputTokens: number }>> {
    return this.#with((ledger) => ledger.reserve(request));
  }

  /** Takes a `T.SettleRequest` and gives a `Result<T.Ended>`, as JSON like `admit`. */
  async settle(request: string): Promise<string> {
    this.#resident?.present();
    return JSON.stringify(await this.#with((ledger) => ledger.settle(JSON.parse(request))));
  }

  /**
   * Moves the account to another plan, from the next call on. With `asOf` (ms since the epoch) it is a statement of that
   * time, and a newer one that was heard before stands. Returns the plan the account is on.
   */
  async setPlan(plan: string, asOf?: number): Promise<Result<{ plan: string }>> {
    return this.#with((ledger) => ledger.setPlan(plan, asOf));
  }

  /** As `AccountLedger.prefer`. */
  async prefer(model: string | null, by?: T.KeyAuthor): Promise<Result<{ model: string | null }>> {
    return this.#with((ledger) => ledger.prefer(model, by));
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

  async revokeKey(id: string, by?: T.KeyAuthor): Promise<Result<T.KeyInfo>> {
    return this.#with((ledger) => ledger.keys.revoke(id, Date.now(), by));
  }

  /** Revokes all keys of a user in this account; `revoked` counts those that still worked. */
  async revokeKeysOf(user: string): Promise<Result<{ revoked: number }>> {
    return this.#with((ledger) => ok({ revoked: ledger.keys.revokeOf(user, Date.now()) }));
  }

  async listKeys(): Promise<Result<T.KeyInfo[]>> {
    return this.#with((ledger) => ok(ledger.keys.list()));
  }

  /** Adds prepaid credit once per `id`. `nano` is a positive whole number of nano-USD. */
  async credit(id: string, nano: number, note: string, keyId: string): Promise<Result<T.CreditMoved>> {
    return this.#with((ledger) => ledger.credit(id, nano, note, keyId));
  }

  /** Changes the balance by a signed amount, once per `id`. As `Credits.order`. */
  async adjust(id: string, nano: number, note: string, keyId: string): Promise<Result<T.CreditMoved>> {
    return this.#with((ledger) => ledger.credits.order({ kind: "adjust", id, nano, note, keyId }));
  }

  /** As `Credits.move`. Money that is disputed is not topped up by itself again. */
  async moveCredit(move: T.CreditMove): Promise<Result<T.CreditMoved>> {
    return this.#with((ledger) => {
      if (move.kind === "dispute" && move.nano < 0) ledger.autoTopUp.stop("a payment is disputed");
      return ledger.credits.move(move);
    });
  }

  /** As `Credits.refundUpTo`. */
  async refundUpTo(refund: Parameters<Credits["refundUpTo"]>[0]): Promise<Result<T.CreditMoved>> {
    return this.#with((ledger) => ledger.credits.refundUpTo(refund));
  }

  /** As `Credits.refundFailed`. */
  async refundFailed(refund: Parameters<Credits["refundFailed"]>[0]): Promise<Result<T.CreditMoved>> {
    return this.#with((ledger) => ledger.credits.refundFailed(refund));
  }

  /** What there is to spend, with the newest `recent` movements of credit. */
  async balance(recent: number): Promise<Result<T.Balance>> {
    return this.#with((ledger) => ok(ledger.balance(recent)));
  }

  /** As `AccountLedger.setAutoTopUp`. */
  async setAutoTopUp(rule: T.AutoTopUpRule | null, by: T.KeyAuthor): Promise<Result<T.AutoTopUpView>> {
    return this.#with((ledger) => ledger.setAutoTopUp(rule, by));
  }

  /** As `Authority.bars`, for what is not kept here: fails with `exceeds_own_key`. */
  async allows(by: T.KeyAuthor, what: string): Promise<Result<{ allowed: true }>> {
    return this.#with((ledger) => ledger.authority.bars(by, what) ?? ok({ allowed: true as const }));
  }

  /** Keeps who pays and with what, for automatic top-ups. */
  async rememberPayer(customer: string, paymentMethod: string): Promise<Result<{ remembered: boolean }>> {
    return this.#with((ledger) => {
      ledger.autoTopUp.remember(customer, paymentMethod);
      ledger.lookAgain();
      return ok({ remembered: true });
    });
  }

  /** As `AutoTopUp.paid`. */
  async autoTopUpPaid(order: Parameters<AutoTopUp["paid"]>[0]): Promise<Result<T.CreditMoved>> {
    return this.#with((ledger) => ledger.autoTopUp.paid(order));
  }

  /** As `Ingestion.ingest`. */
  async ingest(
    events: readonly T.RelayedEvent[],
    by: Parameters<Ingestion["ingest"]>[1],
  ): Promise<Result<T.RelayedOutcome[]>> {
    return this.#with((ledger) => ledger.ingestion.ingest(events, by));
  }

  /** A page of an account's usage by group, beginning after the group named `after`. */
  async usagePage(query: UsageQuery, after: readonly string[] | null): Promise<Result<UsagePage>> {
    return this.#with((ledger) => ledger.usagePage(query, after));
  }

  /** As `BudgetManager.set`. */
  async setBudget(budget: Budget, by: T.KeyAuthor, exists = false): Promise<Result<BudgetState>> {
    return this.#with(async (ledger) => {
      const set = await ledger.budgets.set(budget, Date.now(), by, exists);
      ledger.lookAgain();
      return set;
    });
  }

  async listBudgets(): Promise<Result<BudgetState[]>> {
    return this.#with((ledger) => ok(ledger.listBudgets()));
  }

  /** As `BudgetManager.remove`. */
  async deleteBudget(id: string, by: T.KeyAuthor): Promise<Result<{ deleted: boolean }>> {
    return this.#with((ledger) => ledger.budgets.remove(id, by));
  }

  /** The newest notices, newest first. */
  async listNotices(limit: number): Promise<Result<NoticeInfo[]>> {
    return this.#with((ledger) => ok(ledger.notices.newest(limit)));
  }

  /** As `Webhooks.add`; the URL has been checked. */
  async addWebhook(hook: Parameters<Webhooks["add"]>[0], by: T.KeyAuthor): Promise<Result<WebhookInfo>> {
    return this.#with((ledger) => ledger.webhooks.add(hook, by));
  }

  async listWebhooks(): Promise<Result<WebhookInfo[]>> {
    return this.#with((ledger) => ok(ledger.webhooks.list()));
  }

  /** As `Webhooks.remove`. */
  async deleteWebhook(id: string, by: T.KeyAuthor): Promise<Result<{ deleted: boolean }>> {
    return this.#with((ledger) => ledger.webhooks.remove(id, by));
  }

  /** As `Seal.seal`. */
  async seal(text: string, bound: string): Promise<Result<string>> {
    return this.#with(async () => ok(await this.#seal.seal(text, bound)));
  }

  /** As `Seal.open`. */
  async unseal(sealed: string, bound: string): Promise<Result<string | null>> {
    return this.#with(async () => ok(await this.#seal.open(sealed, bound)));
  }

  async audit(): Promise<Result<T.LedgerAudit>> {
    return this.#with((ledger) => ledger.audit());
  }

  /** What D1's books of these months must come to, and whether they may be compared just now. */
  async reconciliation(months: readonly string[]): Promise<Result<LedgerBooks>> {
    return this.#with(async (ledger) => ok(await ledger.reconciliation(this.env.DB, months)));
  }

  async copyMark(): Promise<Result<string | null>> {
    return this.#with((ledger) => ok(ledger.copyMark));
  }

  async auditHeads(): Promise<Result<AuditHeads>> {
    return this.#with(async (ledger) => ok(await ledger.auditHeads()));
  }

  override async alarm(): Promise<void> {
    const loopback = allowsLoopback(this.env.ENVIRONMENT);
    this.#ledger?.webhooks.deliver((message) => sendWebhook(message, loopback));
    await this.#ledger?.onAlarm(this.env.DB);
    await this.#ledger?.autoTopUp.run(async (order) => {
      const { chargeSavedMethod } = await charging();
      return chargeSavedMethod(this.env, order);
    });
    this.#ledger?.lookAgain();
  }

  #wake(plans: ReadonlyMap<string, T.Plan>): AccountLedger {
    const ledger = new AccountLedger(this.#store, this.ctx.storage, plans, {
      now: () => Date.now(),
      onBroken: (error) => {
        this.#resident?.leave();
        this.ctx.abort(`ledger could not be written: ${error instanceof Error ? error.name : "error"}`);
      },
    });
    this.#resident = new Resident(this.#store.account().account, ledger);
    return ledger;
  }

  async #with<R>(use: (ledger: AccountLedger) => Result<R> | Promise<Result<R>>): Promise<Result<R>> {
    return this.#ledger ? use(this.#ledger) : fail("not_found", "There is no such account.");
  }
}
