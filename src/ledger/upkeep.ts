import type { AutoTopUp } from "./auto_top_up.ts";
import { expiredCall, expiredFacts } from "./call_rows.ts";
import type { LedgerParts } from "./ledger_parts.ts";
import type { Notices } from "./notices.ts";
import type { Outbox } from "./outbox.ts";

/** What a ledger does by itself when its alarm rings, and when that is due. */
export class Upkeep {
  readonly #parts: LedgerParts;
  readonly #outbox: Outbox;
  readonly #notices: Notices;
  readonly #autoTopUp: AutoTopUp;

  constructor(parts: LedgerParts, also: { outbox: Outbox; notices: Notices; autoTopUp: AutoTopUp }) {
    this.#parts = parts;
    this.#outbox = also.outbox;
    this.#notices = also.notices;
    this.#autoTopUp = also.autoTopUp;
  }

  /** Gives back expired holds, copies calls to D1, and asks to be woken when there is more. */
  async onAlarm(db: D1Database): Promise<void> {
    const { alarm, periods, attempts, journal, now } = this.#parts;
    alarm.rang();
    periods.turn();
    attempts.sweep(now());
    if (this.#expireHolds()) journal.flush();
    journal.write();
    if (this.#outbox.dueAt(now()) <= now()) await this.#outbox.drain(db, now);
    this.wakeWhenDue();
  }

  wakeWhenDue(): void {
    const { alarm, books, now } = this.#parts;
    alarm.by(this.#outbox.dueAt(now()));
    alarm.by(this.#autoTopUp.dueAt());
    alarm.by(this.#notices.dueAt);
    for (const hold of books.holds.values()) alarm.by(hold.expiresAt);
  }

  #expireHolds(): boolean {
    const { books, journal, calls } = this.#parts;
    const now = this.#parts.now();
    const expired = [...books.holds.values()].filter((open) => open.expiresAt <= now);
    for (const hold of expired) {
      const call = expiredFacts(hold);
      journal.post(books.release(hold, "expire", { call }), now);
      calls.put(expiredCall(hold, hold.request.model, call));
    }
    return expired.length > 0;
  }
}
