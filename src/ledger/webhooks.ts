import { fail, ok, type Result } from "../errors.ts";
import type { Outgoing } from "../net/send_webhook.ts";
import type { Authority } from "./authority.ts";
import type { WebhookInfo } from "./budget_types.ts";
import { type Due, type NoticeStore, noticeId } from "./notice_store.ts";
import type { Notices } from "./notices.ts";
import type { KeyAuthor } from "./types.ts";

/** Sends a message; gives the HTTP status, or null when there was no answer in time. */
export type Send = (message: Outgoing) => Promise<number | null>;

export const MOST_WEBHOOKS = 5;
/** Messages on their way at the same time. */
const AT_ONCE = 10;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
/** Waits between attempts; the last one is repeated. The first is longer than an attempt may take. */
const WAITS = [20 * SECOND, MINUTE, 5 * MINUTE, 20 * MINUTE, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR];
const GIVE_UP_MS = 72 * HOUR;
const NOT_THEIRS = "decide where the account's notices go";

/** Tells the account's webhooks of its notices: at least once, until each has answered 2xx or three days are over. */
export class Webhooks {
  readonly #store: NoticeStore;
  readonly #notices: Notices;
  readonly #authority: Pick<Authority, "bars">;
  readonly #account: string;
  readonly #now: () => number;

  constructor(
    store: NoticeStore,
    notices: Notices,
    authority: Pick<Authority, "bars">,
    about: { account: string; now: () => number },
  ) {
    this.#store = store;
    this.#notices = notices;
    this.#authority = authority;
    this.#account = about.account;
    this.#now = about.now;
  }

  /** Fails with `conflict` when there are too many, `exceeds_own_key`. It is told of notices given from now on. */
  add({ id, url, secret }: { id: string; url: string; secret: string }, by?: KeyAuthor): Result<WebhookInfo> {
    const barred = this.#authority.bars(by, NOT_THEIRS);
    if (barred) return barred;
    if (this.#store.webhooks().length >= MOST_WEBHOOKS) {
      return fail("conflict", `An account has at most ${MOST_WEBHOOKS} webhooks: delete one that is not needed.`);
    }
    const now = this.#now();
    this.#store.addWebhook(id, url, secret, now);
    return ok({ id, url, created_at: new Date(now).toISOString(), pending: 0, given_up: 0 });
  }

  list(): WebhookInfo[] {
    return this.#store.webhooks();
  }

  /** Fails with `not_found`, `exceeds_own_key`: who is bounded does not silence what tells of them. */
  remove(id: string, by?: KeyAuthor): Result<{ deleted: boolean }> {
    const barred = this.#authority.bars(by, NOT_THEIRS);
    if (barred) return barred;
    if (!this.#store.removeWebhook(id)) return fail("not_found", `There is no webhook "${id}" in this account.`);
    this.#notices.changed();
    return ok({ deleted: true });
  }

  /** Sends what is due, and waits for nothing: an attempt is noted before it is made, and repeated if nothing comes of it. */
  deliver(send: Send): void {
    const now = this.#now();
    if (this.#notices.dueAt > now) return;
    for (const due of this.#store.due(now, AT_ONCE)) {
      const wait = WAITS[Math.min(due.attempts, WAITS.length - 1)] as number;
      this.#store.attempt(due, now + wait);
      const { url, secret } = due;
      const message = { url, secret, id: `${this.#account}-${noticeId(due.seq)}`, body: this.#bodyOf(due) };
      send(message)
        .catch(() => null)
        .then((status) => this.#answered(due, status, now + wait));
    }
    this.#notices.changed();
  }

  #answered(due: Due, status: number | null, nextAt: number): void {
    const accepted = status !== null && status >= 200 && status < 300;
    const over = nextAt > due.at + GIVE_UP_MS;
    this.#store.transaction(() => {
      this.#store.answered(due, accepted ? "delivered" : over ? "given_up" : "pending", status);
      if (!accepted && over) this.#sayGivenUp(due, status);
    });
    this.#notices.changed();
  }

  #sayGivenUp({ seq, webhook }: Due, status: number | null): void {
    const answer = status === null ? "there was no answer" : `its answer was ${status}`;
    this.#notices.give({
      once: `webhook ${webhook} ${seq}`,
      type: "webhook.given_up",
      message: `The webhook ${webhook} could not be told of the notice ${noticeId(seq)} in three days: at last ${answer}.`,
      data: { webhook_id: webhook, notice_id: noticeId(seq), last_status: status },
      endsAt: this.#now(),
    });
  }

  #bodyOf({ seq, at, type, message, data }: Due): string {
    const facts = { id: noticeId(seq), account: this.#account, message, ...data };
    return JSON.stringify({ type, timestamp: new Date(at).toISOString(), data: facts });
  }
}
