import type { Env } from "../env.ts";
import { unwrap } from "../errors.ts";
import { lazily } from "../lazily.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type {
  AutoTopUpRule,
  AutoTopUpView,
  Balance,
  CreditMoved,
  KeyAuthor,
  RelayedEvent,
  RelayedOutcome,
} from "../ledger/types.ts";
import type { CheckoutOrder } from "./checkout.ts";
import { stripeOf } from "./stripe.ts";
import { listUnmatched, type UnmatchedPayment } from "./unmatched.ts";

type LedgerApi = Pick<Ledger, "allows" | "balance" | "adjust" | "setAutoTopUp" | "ingest">;

const checkout = lazily(() => import("./checkout.ts"));

/** An account's prepaid credit: what there is, how it is bought, and usage that is told afterwards. */
export class Billing {
  readonly #env: Env;

  constructor(env: Env) {
    this.#env = env;
  }

  /** With the newest `recent` movements. */
  async balance(account: string, recent: number): Promise<Balance> {
    return unwrap(await this.#ledger(account).balance(recent));
  }

  /** A page to pay on. @throws WaypostError `exceeds_own_key`, `not_configured`, `payment_unavailable` */
  async topUp(
    order: Omit<CheckoutOrder, "customer">,
    by: KeyAuthor,
  ): Promise<{ id: string; url: string; expires_at: string }> {
    unwrap(await this.#ledger(order.account).allows(by, "buy credit"));
    const { openCheckout } = await checkout();
    await stripeOf(this.#env);
    const { auto_top_up } = await this.balance(order.account, 0);
    return openCheckout(this.#env, { ...order, customer: auto_top_up.customer });
  }

  /**
   * Sets or (null) removes the rule.
   * @throws WaypostError `exceeds_own_key`, `not_configured` when there is nothing to pay with
   */
  async setAutoTopUp(account: string, rule: AutoTopUpRule | null, by: KeyAuthor): Promise<AutoTopUpView> {
    if (rule) await stripeOf(this.#env);
    return unwrap(await this.#ledger(account).setAutoTopUp(rule, by));
  }

  /** Changes the balance by a signed amount, once per `id`. @throws WaypostError `conflict` when the id stands for another */
  async adjust(
    account: string,
    { id, nano, note, keyId }: { id: string; nano: number; note: string; keyId: string },
  ): Promise<CreditMoved> {
    return unwrap(await this.#ledger(account).adjust(id, nano, note, keyId));
  }

  unmatched(limit: number): Promise<UnmatchedPayment[]> {
    return listUnmatched(this.#env, limit);
  }

  async ingest(
    account: string,
    events: readonly RelayedEvent[],
    by: { keyId: string; user: string; client?: string },
  ): Promise<RelayedOutcome[]> {
    return unwrap(await this.#ledger(account).ingest(events, by));
  }

  #ledger(account: string): LedgerApi {
    return this.#env.LEDGER.get(this.#env.LEDGER.idFromName(account)) as unknown as LedgerApi;
  }
}
