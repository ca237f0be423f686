import type { Result } from "../errors.ts";
import type { Books } from "./books.ts";
import { monthOf } from "./calendar.ts";
import type { CreditRows } from "./credit_rows.ts";
import type { Credits } from "./credits.ts";
import type { Journal } from "./journal.ts";
import type * as T from "./types.ts";

/** One US cent in nano-USD. */
const CENT_NANO = 10_000_000;
/** After the first failed payment and after the second; the third ends it. */
const BACKOFF_MS = [60 * 60 * 1_000, 24 * 60 * 60 * 1_000] as const;
const FAILURES_ALLOWED = 3;
/** How soon a payment of unknown outcome is asked about again, doubled each time, up to an hour. */
const ASK_AGAIN_MS = 30_000;
const ASK_AGAIN_AT_MOST_MS = 60 * 60 * 1_000;
/** The provider forgets idempotency keys after a day: asking later could pay twice. */
const KEY_LASTS_MS = 23 * 60 * 60 * 1_000;

interface Attempt extends T.TopUpOrder {
  /** Milliseconds since the epoch. */
  at: number;
  asked: number;
}

interface State {
  rule: T.AutoTopUpRule | null;
  customer: string | null;
  paymentMethod: string | null;
  /** The payment under way: written before it is asked for, so that a restart asks for the same one. */
  attempt: Attempt | null;
  attempts: number;
  failures: number;
  /** Why it was switched off. */
  stopped: string | null;
  notBefore: number;
  month: string;
  monthCents: number;
  /** Month in which the owner was told that the most of a month is reached. */
  toldOfMost: string;
}

const NEW: State = {
  rule: null,
  customer: null,
  paymentMethod: null,
  attempt: null,
  attempts: 0,
  failures: 0,
  stopped: null,
  notBefore: 0,
  month: "",
  monthCents: 0,
  toldOfMost: "",
};

interface Surroundings {
  account: string;
  rows: CreditRows;
  credits: Credits;
  books: Books;
  journal: Journal;
  now: () => number;
}

/**
 * Buys credit when it runs low, by a payment method that was saved. One payment at a time, each with an idempotency key of
 * its own that is on disk before the payment is asked for; so a crash, a lost answer or a slow one never pays twice.
 */
export class AutoTopUp {
  readonly #around: Surroundings;
  #state: State;
  #running = false;

  constructor(around: Surroundings) {
    this.#around = around;
    const kept = around.rows.autoTopUp();
    this.#state = kept === null ? { ...NEW } : { ...NEW, ...(JSON.parse(kept) as State) };
  }

  /** Sets or (with null) removes the rule. A new rule begins without the failures of the one before. */
  set(rule: T.AutoTopUpRule | null): void {
    this.#put({ rule, failures: 0, stopped: null, notBefore: this.#state.attempt ? this.#state.notBefore : 0 });
  }

  /** Remembers who pays and with what. */
  remember(customer: string, paymentMethod: string): void {
    this.#put({ customer, paymentMethod });
  }

  /** Switches it off until the rule is set again. */
  stop(why: string): void {
    if (this.#state.rule && this.#state.stopped === null) this.#put({ stopped: why });
  }

  view(): T.AutoTopUpView {
    const { rule, customer, paymentMethod, attempt, failures, stopped } = this.#state;
    return {
      rule,
      customer,
      has_payment_method: paymentMethod !== null,
      in_progress: attempt !== null,
      failures,
      stopped,
      month_cents: this.#monthCents(),
    };
  }

  /** When there is something to do, in ms; never, mostly. */
  dueAt(): number {
    const { rule, attempt, paymentMethod, stopped, notBefore, toldOfMost } = this.#state;
    const now = this.#around.now();
    if (this.#running) return Number.POSITIVE_INFINITY;
    if (attempt) return Math.max(now, notBefore);
    if (!rule || !paymentMethod || stopped !== null) return Number.POSITIVE_INFINITY;
    if (this.#around.books.availableNano >= rule.thresholdNano) return Number.POSITIVE_INFINITY;
    if (this.#overMonth(rule) && toldOfMost === monthOf(now)) return Number.POSITIVE_INFINITY;
    return Math.max(now, notBefore);
  }

  /** Pays, if it is time to. */
  async run(charge: T.ChargeTopUp): Promise<void> {
    if (this.dueAt() > this.#around.now()) return;
    const attempt = this.#state.attempt ?? this.#begin();
    this.#running = true;
    try {
      this.#around.journal.flush();
      if (!attempt) return;
      const { at: _, asked: __, ...order } = attempt;
      await this.#ended(attempt, await charge(order));
      this.#around.journal.flush();
    } finally {
      this.#running = false;
    }
  }

  /** A payment was made, as the provider's message or its answer says: credited once, whichever comes first. */
  async paid(order: { id: string; paymentIntent: string; amountCents: number }): Promise<Result<T.CreditMoved>> {
    const moved = await this.#around.credits.move({
      kind: "credit",
      id: `stripe:${order.paymentIntent}`,
      nano: order.amountCents * CENT_NANO,
      note: "automatic top-up",
      keyId: "auto_top_up",
    });
    if (moved.ok && this.#state.attempt?.id === order.id) {
      const monthCents = this.#monthCents() + order.amountCents;
      const month = monthOf(this.#around.now());
      this.#put({ attempt: null, failures: 0, notBefore: 0, month, monthCents });
    }
    return moved;
  }

  #begin(): Attempt | null {
    const { rule, customer, paymentMethod, attempts } = this.#state;
    if (!rule || !customer || !paymentMethod) return null;
    const now = this.#around.now();
    if (this.#overMonth(rule)) {
      const month = monthOf(now);
      this.#around.credits.notice(`notice:top_up_most:${month}`, "The most that is topped up in a month is reached.");
      this.#put({ toldOfMost: month });
      return null;
    }
    const { account } = this.#around;
    const id = `topup_${account}_${attempts + 1}`;
    const attempt = { id, account, amountCents: rule.amountCents, customer, paymentMethod, at: now, asked: 0 };
    this.#put({ attempt, attempts: attempts + 1 });
    return attempt;
  }

  async #ended(attempt: Attempt, outcome: T.TopUpOutcome): Promise<void> {
    if (outcome.kind === "paid") {
      await this.paid({ id: attempt.id, paymentIntent: outcome.paymentIntent, amountCents: attempt.amountCents });
    } else if (this.#state.attempt?.id !== attempt.id) {
      // The provider's message came first.
    } else if (outcome.kind === "failed") this.#failed(attempt, outcome.reason);
    else this.#wait(attempt, outcome);
  }

  #failed(attempt: Attempt, reason: string): void {
    const failures = this.#state.failures + 1;
    const stopped = failures >= FAILURES_ALLOWED ? `${failures} payments in a row failed` : null;
    const pause = BACKOFF_MS[failures - 1] ?? 0;
    this.#around.credits.notice(
      `notice:${attempt.id}`,
      `Automatic top-up failed (${reason})${stopped ? "; it is switched off now" : ""}.`,
    );
    this.#put({ attempt: null, failures, stopped, notBefore: this.#around.now() + pause });
  }

  #wait(attempt: Attempt, outcome: { kind: "processing"; paymentIntent: string } | { kind: "unknown" }): void {
    const now = this.#around.now();
    if (outcome.kind === "unknown" && now - attempt.at > KEY_LASTS_MS) {
      this.#around.credits.notice(`notice:${attempt.id}`, "The outcome of an automatic top-up is not known.");
      this.#put({ attempt: null, stopped: "the outcome of a payment is not known" });
      return;
    }
    const asked = attempt.asked + 1;
    const known = outcome.kind === "processing" ? { paymentIntent: outcome.paymentIntent } : {};
    const pause = Math.min(ASK_AGAIN_AT_MOST_MS, ASK_AGAIN_MS * 2 ** (asked - 1));
    this.#put({ attempt: { ...attempt, ...known, asked }, notBefore: now + pause });
  }

  #monthCents(): number {
    return this.#state.month === monthOf(this.#around.now()) ? this.#state.monthCents : 0;
  }

  #overMonth(rule: T.AutoTopUpRule): boolean {
    return this.#monthCents() + rule.amountCents > rule.monthlyMaxCents;
  }

  #put(change: Partial<State>): void {
    this.#state = { ...this.#state, ...change };
    this.#around.rows.putAutoTopUp(JSON.stringify(this.#state));
  }
}
