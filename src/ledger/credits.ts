import { fail, ok, type Result } from "../errors.ts";
import type { Books } from "./books.ts";
import type { CreditRows } from "./credit_rows.ts";
import type { Journal } from "./journal.ts";
import type { CreditMove, CreditMoved } from "./types.ts";

/** Prepaid credit of one account: what adds to it and takes from it outside of calls. Each movement is an entry, once. */
export class Credits {
  readonly #rows: CreditRows;
  readonly #books: Books;
  readonly #journal: Journal;
  readonly #now: () => number;

  constructor(around: { rows: CreditRows; books: Books; journal: Journal; now: () => number }) {
    this.#rows = around.rows;
    this.#books = around.books;
    this.#journal = around.journal;
    this.#now = around.now;
  }

  /**
   * Posts a movement once per kind and id, and answers when it is on disk. A refund, dispute or adjustment may take the
   * balance below zero.
   * Fails with `invalid_input` when the amount is none of its kind or the balance would leave what can be reckoned exactly.
   */
  async move(move: CreditMove): Promise<Result<CreditMoved>> {
    const moved = await this.#once(move);
    return moved.ok ? ok({ posted: moved.value.posted, balanceNano: moved.value.balanceNano }) : moved;
  }

  /** As `move`, by somebody who chose the id: fails with `conflict` when it stands for another amount already. */
  async order(move: CreditMove): Promise<Result<CreditMoved>> {
    const moved = await this.#once(move);
    if (!moved.ok) return moved;
    const { posted, balanceNano, before } = moved.value;
    if (before === undefined || before === move.nano) return ok({ posted, balanceNano });
    return fail("conflict", `This id was posted before with ${before} nano-USD. Nothing was posted now.`, {
      posted_nano_usd: before,
      balance_nano: balanceNano,
    });
  }

  /** `before`: what the entry that was there moved. */
  async #once(move: CreditMove): Promise<Result<CreditMoved & { before: number | undefined }>> {
    const wrong = misfit(move);
    if (wrong) return fail("invalid_input", wrong);
    if (!this.#canHold(move.nano)) return fail("invalid_input", "The balance would be too large to be exact.");
    this.#journal.write();
    const before = this.#rows.amountOf(move.id, move.kind);
    if (before === undefined) this.#post(move);
    this.#journal.flush();
    return ok({ posted: before === undefined, balanceNano: this.#books.state.balanceNano, before });
  }

  /**
   * Takes back what of a payment was refunded. The provider tells the sum refunded so far, in any order and more than once;
   * what exceeds that which was taken back before is taken back now.
   */
  async refundUpTo(refund: {
    payment: string;
    event: string;
    nano: number;
    note: string;
  }): Promise<Result<CreditMoved>> {
    if (!Number.isSafeInteger(refund.nano) || refund.nano < 0) {
      return fail("invalid_input", "A refunded sum is a whole number of nano-USD, not negative.");
    }
    const prefix = `refund:${refund.payment}:`;
    this.#journal.write();
    const id = `${prefix}${refund.event}`;
    const known = this.#rows.has(id, "refund");
    if (!known) {
      const before = -this.#rows.sumUnder(prefix, "refund");
      const more = Math.max(0, refund.nano - before);
      if (!this.#canHold(-more)) return fail("invalid_input", "The balance would be too large to be exact.");
      // An entry of zero still says that the event was heard.
      this.#post({ kind: "refund", id, nano: more === 0 ? 0 : -more, note: refund.note, keyId: "stripe" });
    }
    this.#journal.flush();
    return ok({ posted: !known, balanceNano: this.#books.state.balanceNano });
  }

  /**
   * Gives back what was taken for a refund that failed afterwards, once. Fails with `conflict` while the refund itself was
   * not heard of: its event is still under way.
   */
  async refundFailed(refund: {
    payment: string;
    refund: string;
    nano: number;
    note: string;
  }): Promise<Result<CreditMoved>> {
    const prefix = `refund:${refund.payment}:`;
    const id = `${prefix}failed:${refund.refund}`;
    this.#journal.write();
    const known = this.#rows.has(id, "refund");
    if (!known) {
      const taken = -this.#rows.sumUnder(prefix, "refund");
      if (taken < refund.nano) return fail("conflict", "The refund that failed was not heard of yet.");
      this.#post({ kind: "refund", id, nano: refund.nano, note: refund.note, keyId: "stripe" });
    }
    this.#journal.flush();
    return ok({ posted: !known, balanceNano: this.#books.state.balanceNano });
  }

  /** An entry that moves nothing: what happened, for the account's owner. */
  notice(id: string, note: string): void {
    this.#journal.write();
    if (!this.#rows.has(id, "notice")) this.#post({ kind: "notice", id, nano: 0, note, keyId: "auto_top_up" });
  }

  #canHold(nano: number): boolean {
    return Number.isSafeInteger(this.#books.state.balanceNano + nano);
  }

  #post({ kind, id, keyId, nano, note }: CreditMove): void {
    this.#journal.post([this.#books.move(kind, id, keyId, nano, note)], this.#now());
  }
}

/** What is wrong with an amount, if anything. */
function misfit({ kind, nano }: CreditMove): string | null {
  if (!Number.isSafeInteger(nano)) return "An amount is a whole number of nano-USD.";
  if (kind === "credit" && nano <= 0) return "Credit is a positive whole number of nano-USD.";
  if (kind === "refund" && nano >= 0) return "A refund takes away: a negative whole number of nano-USD.";
  if ((kind === "adjust" || kind === "dispute") && nano === 0) return "An adjustment of nothing is none.";
  return null;
}
