import type { Result } from "../errors.ts";
import type { AccountLedger } from "./account_ledger.ts";
import type { AdmitReply, AdmitRequest, ReserveRequest, Settlement, SettleRequest } from "./types.ts";

/**
 * Ledgers that are awake in this isolate. The runtime may put an object and the Worker that calls it into one isolate, and on
 * one machine it always does. What is decided in memory alone then needs no request to the object, which costs more than all
 * else of a small call: it is the same ledger, the same memory and the same synchronous decision, by a shorter way.
 */
const awake = new Map<string, Resident>();

/** The account's ledger, if it is awake here. */
export const residentLedger = (account: string): Resident | undefined => awake.get(account);

/**
 * So long after its last request an object counts as living. The runtime puts one away after ten idle seconds at the earliest;
 * one that it moved elsewhere all the same may here still admit for as long, as a crash may lose as much.
 */
const TENURE_MS = 1_000;
/** Whoever was to tend the ledger is this late: it was cut off, and somebody else must. */
const CUT_OFF_MS = 200;

/** A ledger as calls in its isolate ask it, while its object is known to live. */
export class Resident {
  /** Of this memory: what was decided in it ends with it, unless its object has written it. */
  readonly life = crypto.randomUUID();
  readonly #account: string;
  readonly #ledger: AccountLedger;
  readonly #now: () => number;
  /** When its object last ran a request. */
  #seenAt = Number.NEGATIVE_INFINITY;
  /** When somebody will tend it. */
  #tendedAt = Number.POSITIVE_INFINITY;

  /** Call it when the object wakes: whatever was known here of an earlier life of it holds no longer. */
  constructor(account: string, ledger: AccountLedger, now: () => number = Date.now) {
    awake.get(account)?.leave();
    this.#account = account;
    this.#ledger = ledger;
    this.#now = now;
  }

  /** The object runs a request, so it lives, and sees to what was decided elsewhere. Only in the object's own turn. */
  present(): void {
    this.#ledger.tend();
    this.#tendedAt = Number.POSITIVE_INFINITY;
    this.#seenAt = this.#now();
    // In the order of their last requests, so that those of long ago come first: nothing may keep the memory of what has gone.
    awake.delete(this.#account);
    awake.set(this.#account, this);
    for (const [account, ledger] of awake) {
      if (ledger.#lives) break;
      awake.delete(account);
    }
  }

  /** The object ends: it is asked no more. */
  leave(): void {
    this.#seenAt = Number.NEGATIVE_INFINITY;
    if (awake.get(this.#account) === this) awake.delete(this.#account);
  }

  /** As `AccountLedger.admit`, at once; undefined: only the object itself can say. */
  admit(request: AdmitRequest): AdmitReply | undefined {
    return this.#lives ? this.#ledger.admitFromElsewhere(request) : undefined;
  }

  /** As `AccountLedger.reserve`, at once; undefined: only the object itself can say. */
  reserve(request: ReserveRequest): Result<{ grantedOutputTokens: number }> | undefined {
    return this.#lives ? this.#ledger.reserveFromElsewhere(request) : undefined;
  }

  /** As `AccountLedger.settle`, at once; undefined: only the object itself can. It holds when `keep` says so. */
  settle(request: SettleRequest): Settlement | undefined {
    return this.#lives ? this.#ledger.settleFromElsewhere(request) : undefined;
  }

  /** In the object's own turn: writes what was settled in this memory. False where it was another life of the object. */
  keep(life: string): boolean | Promise<boolean> {
    if (life !== this.life) return false;
    // Before it is written: the timer for what was held then stands for the calls after this one too.
    this.present();
    const writing = this.#ledger.keep();
    return writing ? writing.then(() => true) : true;
  }

  /**
   * How many ms to wait before the object is asked to tend to what was decided here, when `isUntended` still: `most` at most.
   * Undefined when there is nothing to tend to, or somebody waits for it already.
   */
  tendIn(most = Number.POSITIVE_INFINITY): number | undefined {
    const { due } = this.#ledger.turn;
    if (due === Number.POSITIVE_INFINITY) return undefined;
    const now = this.#now();
    const ms = Math.min(most, Math.max(0, (due - now) / 2));
    if (now + ms >= this.#tendedAt && now < this.#tendedAt + CUT_OFF_MS) return undefined;
    this.#tendedAt = now + ms;
    return ms;
  }

  get isUntended(): boolean {
    return this.#ledger.turn.due < Number.POSITIVE_INFINITY;
  }

  /** A clock that was set back must not let it live on for as long. */
  get #lives(): boolean {
    const ms = this.#now() - this.#seenAt;
    return ms >= 0 && ms < TENURE_MS;
  }
}
