import { fail, ok, type Result } from "../errors.ts";
import { BUILT_IN } from "./built_in_plans.ts";
import type { Account } from "./rows.ts";
import type { Store } from "./store.ts";
import type { Plan, VerifiedCaller } from "./types.ts";

type Statement = NonNullable<VerifiedCaller["plan"]>;

/** A clock that is ahead must not shut out what is said later. */
const statedAt = ({ asOf }: Statement, now: number): number => Math.min(asOf, now);

/** The plan an account is on: the newest that was said about it, by the operator or by the issuer of its users' tokens. */
export class AccountPlan {
  readonly #store: Store;
  readonly #plans: ReadonlyMap<string, Plan>;
  readonly #account: Account;

  /** `account` is kept up to date. */
  constructor(store: Store, plans: ReadonlyMap<string, Plan>, account: Account) {
    this.#store = store;
    this.#plans = plans;
    this.#account = account;
  }

  /** undefined when the configuration has the plan no more. */
  get known(): Plan | undefined {
    return this.#plans.get(this.#account.plan);
  }

  /** Fails with `not_configured`, naming the plan and the two ways out, when the configuration has it no more. */
  get current(): Result<Plan> {
    const plan = this.known;
    if (plan) return ok(plan);
    const { plan: gone, account } = this.#account;
    return fail(
      "not_configured",
      `This account is on the plan "${gone}", which is not configured any more: put it back into PLANS, or move the account ` +
        `to another plan with POST /v1/admin/accounts/${account}/plan.`,
    );
  }

  /** Tokens a month, null = unlimited. A plan that is configured no more covers none. */
  get monthlyTokens(): number | null {
    return this.known ? this.known.monthlyTokens : 0;
  }

  /**
   * The plan by which a call of this scope is let in; fails as `current`. An operator whose own account's plan is gone has
   * the limits of `free` on the admin routes: it is there that the account is moved to another.
   */
  admitting(scope: string | null): Result<Plan> {
    const way = scope === "admin" ? BUILT_IN.get("free") : undefined;
    return this.known || !way ? this.current : ok(way);
  }

  /** Moves the account to a plan. With `asOf` (ms) it is a statement of that time, which changes nothing when it is not the newest. */
  set(plan: string, asOf: number | undefined, now: number): Result<{ plan: string }> {
    if (!this.#plans.has(plan)) return fail("invalid_input", `There is no plan "${plan}".`);
    if (asOf === undefined) this.#state(plan, Math.max(now, this.#account.planAsOf));
    else this.hear({ id: plan, asOf }, now);
    return ok({ plan: this.#account.plan });
  }

  /** What an issuer says about the plan: the newest statement counts, and one about a plan that is not known here does not. */
  hear(stated: VerifiedCaller["plan"], now: number): void {
    if (stated && this.isNews(stated, now)) this.#state(stated.id, statedAt(stated, now));
  }

  /** Whether hearing it would change anything. */
  isNews(stated: VerifiedCaller["plan"], now: number): boolean {
    return stated !== undefined && this.#plans.has(stated.id) && statedAt(stated, now) > this.#account.planAsOf;
  }

  #state(plan: string, asOf: number): void {
    this.#store.setPlan(plan, asOf);
    this.#account.plan = plan;
    this.#account.planAsOf = asOf;
  }
}
