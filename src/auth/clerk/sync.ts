import type { Env } from "../../env.ts";
import { unwrap, WaypostError } from "../../errors.ts";
import { parsePlans } from "../../ledger/plans.ts";
import { Directory } from "../directory.ts";
import { externalAccount, externalUser } from "../external.ts";
import { enroll } from "../jwt/members.ts";
import type { ClerkEvent } from "./events.ts";
import { removeUser, signOut } from "./removal.ts";

/** What became of a delivery: `outdated` when something newer was known, `repeated` when it had been acted on. */
export type DeliveryOutcome = "applied" | "outdated" | "repeated" | "ignored";

type UserEvent = Extract<ClerkEvent, { kind: "user" }>;

/** How long a delivery is remembered: longer than Clerk goes on repeating one. */
const DELIVERIES_KEPT_MS = 7 * 86_400_000;

/** The user (?1) is there and nothing newer than ?4 is known of their identity (?2, ?3). */
const CURRENT = `EXISTS (SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM identities WHERE issuer = ?2 AND subject = ?3 AND as_of > ?4)`;

/**
 * Keeps the directory and the plan in step with Clerk. Effects beyond the directory come first and bear repeating; the
 * delivery is noted in one transaction with the directory's change, so that one cut short is done again in full.
 */
export class ClerkSync {
  readonly #env: Env;
  readonly #issuer: string;

  /** @param issuer as in the `iss` claim of the session tokens */
  constructor(env: Env, issuer: string) {
    this.#env = env;
    this.#issuer = issuer;
  }

  async apply(delivery: string, event: ClerkEvent): Promise<DeliveryOutcome> {
    if (event.kind === "other") return "ignored";
    const known = await this.#env.DB.prepare("SELECT 1 FROM webhook_deliveries WHERE id = ?").bind(delivery).first();
    if (known) return "repeated";
    return event.kind === "user" ? this.#update(delivery, event) : this.#remove(delivery, event.subject);
  }

  async #update(delivery: string, event: UserEvent): Promise<DeliveryOutcome> {
    const user = await externalUser(this.#issuer, event.subject);
    if (await this.#isOutdated(user, event)) {
      await this.#noted(delivery).run();
      return "outdated";
    }
    const account = await externalAccount(this.#issuer, "personal", event.subject);
    const plan = event.plan !== null && parsePlans(this.#env.PLANS).has(event.plan) ? event.plan : null;
    const { name, email, subject } = event;
    const identity = { issuer: this.#issuer, subject };
    try {
      await enroll(this.#env, {
        ...{ account, user, email, identity },
        ...{ accountName: name, userName: name, plan: plan ?? "free" },
      });
    } catch (error) {
      if (!(error instanceof WaypostError && error.code === "unauthenticated")) throw error;
      // The user was removed in between, possibly before the account was there to be shut.
      await removeUser(this.#env, user);
      await this.#noted(delivery).run();
      return "outdated";
    }
    const state = this.#state(user, event);
    if (plan !== null) state.unshift(await this.#planOf(account, plan, user, event));
    await this.#env.DB.batch([...state, this.#noted(delivery)]);
    return "applied";
  }

  /** Tells the ledger, which decides, and lists in the directory what it decided. */
  async #planOf(account: string, plan: string, user: string, event: UserEvent): Promise<D1PreparedStatement> {
    const ledger = this.#env.LEDGER.get(this.#env.LEDGER.idFromName(account));
    const decided = unwrap(await ledger.setPlan(plan, event.asOf));
    return this.#env.DB.prepare(`UPDATE accounts SET plan = ?6 WHERE id = ?5 AND ${CURRENT}`).bind(
      ...[user, this.#issuer, event.subject, event.asOf],
      account,
      decided.plan,
    );
  }

  /** The user's state in the directory. */
  #state(user: string, { subject, name, email, asOf }: UserEvent): D1PreparedStatement[] {
    const facts = [user, this.#issuer, subject, asOf];
    return [
      this.#env.DB.prepare(`UPDATE users SET name = ?5, email = ?6 WHERE id = ?1 AND ${CURRENT}`).bind(
        ...facts,
        name,
        email,
      ),
      this.#env.DB.prepare(
        `INSERT INTO identities (issuer, subject, user, label, created_at, as_of) SELECT ?2, ?3, ?1, ?5, ?6, ?4 WHERE ${CURRENT}
         ON CONFLICT (issuer, subject) DO UPDATE SET label = excluded.label, as_of = excluded.as_of`,
      ).bind(...facts, email ?? name, new Date().toISOString()),
    ];
  }

  async #isOutdated(user: string, { subject, asOf }: UserEvent): Promise<boolean> {
    const row = await this.#env.DB.prepare(
      `SELECT EXISTS (SELECT 1 FROM users WHERE id = ?1 AND deleted_at IS NOT NULL)
           OR EXISTS (SELECT 1 FROM identities WHERE issuer = ?2 AND subject = ?3 AND as_of > ?4) AS outdated`,
    )
      .bind(user, this.#issuer, subject, asOf)
      .first<{ outdated: number }>();
    return row?.outdated === 1;
  }

  async #remove(delivery: string, subject: string): Promise<DeliveryOutcome> {
    const issuer = this.#issuer;
    const user = await externalUser(issuer, subject);
    const linked = await new Directory(this.#env).userOf({ issuer, subject });
    await removeUser(this.#env, user);
    // Somebody who joined another way keeps their account, but not what the identity opened.
    if (linked && linked.id !== user) await signOut(this.#env, linked.id);
    await this.#env.DB.batch([
      this.#env.DB.prepare("DELETE FROM identities WHERE issuer = ? AND subject = ?").bind(issuer, subject),
      this.#noted(delivery),
    ]);
    return "applied";
  }

  #noted(delivery: string): D1PreparedStatement {
    return this.#env.DB.prepare(
      "INSERT INTO webhook_deliveries (id, received_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING",
    ).bind(delivery, new Date().toISOString());
  }
}

/** Forgets deliveries that will not come again. Returns how many. For the cron. */
export async function purgeDeliveries(env: Pick<Env, "DB">, now = Date.now()): Promise<number> {
  const { meta } = await env.DB.prepare("DELETE FROM webhook_deliveries WHERE received_at < ?")
    .bind(new Date(now - DELIVERIES_KEPT_MS).toISOString())
    .run();
  return meta.changes;
}
