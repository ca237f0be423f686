import { Directory } from "../auth/directory.ts";
import { Grants } from "../auth/oauth/grants.ts";
import type { Env } from "../env.ts";
import { unwrap, WaypostError } from "../errors.ts";
import type { Budget, BudgetState, NoticeInfo, WebhookInfo } from "../ledger/budget_types.ts";
import { authorOf } from "../ledger/key_rules.ts";
import { parsePlans } from "../ledger/plans.ts";
import type { KeyAuthor, Plan } from "../ledger/types.ts";
import { allowsLoopback, whyNoTarget } from "../net/webhook_target.ts";

const GRANT = "grant_";

export interface IssuedWebhook extends WebhookInfo {
  /** The signing secret, `whsec_…`, shown this once. */
  secret: string;
}

/** Budgets of the caller's account, the notices given of them, and the webhooks that are told. */
export class AccountBudgets {
  readonly #env: Env;
  readonly #by: KeyAuthor & { account: string };

  constructor(env: Env, by: KeyAuthor & { account: string }) {
    this.#env = env;
    this.#by = by;
  }

  async list(): Promise<BudgetState[]> {
    return unwrap(await this.#ledger().listBudgets());
  }

  /** @throws WaypostError `invalid_input`, `not_found`, `conflict`, `exceeds_own_key` */
  async set(budget: Budget): Promise<BudgetState> {
    const exists = budget.key_id !== undefined && (await this.#isGrant(budget.key_id));
    return unwrap(await this.#ledger().setBudget(budget, authorOf(this.#by), exists));
  }

  /** @throws WaypostError `not_found`, `conflict`, `exceeds_own_key` */
  async remove(id: string): Promise<void> {
    unwrap(await this.#ledger().deleteBudget(id, authorOf(this.#by)));
  }

  /** Newest first. */
  async notices(limit: number): Promise<NoticeInfo[]> {
    return unwrap(await this.#ledger().listNotices(limit));
  }

  /** @throws WaypostError `invalid_input` when the URL is none to be called, `conflict` when there are too many, `exceeds_own_key` */
  async addWebhook(url: string): Promise<IssuedWebhook> {
    const why = await whyNoTarget(url, allowsLoopback(this.#env.ENVIRONMENT));
    if (why !== null) throw new WaypostError("invalid_input", why, { issues: [{ path: "url", message: why }] });
    const secret = `whsec_${btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))))}`;
    const id = `hook_${crypto.randomUUID().replaceAll("-", "")}`;
    const hook = { id, url: new URL(url).href, secret };
    return { ...unwrap(await this.#ledger().addWebhook(hook, authorOf(this.#by))), secret };
  }

  async webhooks(): Promise<WebhookInfo[]> {
    return unwrap(await this.#ledger().listWebhooks());
  }

  /** @throws WaypostError `not_found`, `exceeds_own_key` */
  async removeWebhook(id: string): Promise<void> {
    unwrap(await this.#ledger().deleteWebhook(id, authorOf(this.#by)));
  }

  /** The plans of this installation, the account's own or another. */
  plans(): Plan[] {
    return [...parsePlans(this.#env.PLANS).values()];
  }

  /** Whether an app that a member let into the account goes by this id. */
  async #isGrant(id: string): Promise<boolean> {
    if (!id.startsWith(GRANT)) return false;
    const { account } = this.#by;
    const grants = new Grants(this.#env);
    for (const user of await new Directory(this.#env).membersOf(account)) {
      const apps = await grants.list(user);
      if (apps.some((app) => app.account === account && `${GRANT}${app.grant}` === id)) return true;
    }
    return false;
  }

  #ledger() {
    return this.#env.LEDGER.get(this.#env.LEDGER.idFromName(this.#by.account));
  }
}
