import { AccountLedger } from "../../src/ledger/account_ledger.ts";
import { Store } from "../../src/ledger/store.ts";
import { type Fault, SimulatedBooks } from "./books.ts";
import { type Break, ForgetfulStore } from "./breaks.ts";
import { Clock, settled } from "./clock.ts";
import { Model } from "./model.ts";
import { ACCOUNT, PLANS, type Random } from "./plan.ts";
import { DiskFailure, ObjectStorage, SimulatedStorage } from "./storage.ts";

/** Just before a month ends, so that some runs cross it. */
const START = Date.UTC(2026, 5, 30, 23, 57);

export class Gone extends Error {}

interface Life {
  ledger: AccountLedger;
  storage: ObjectStorage;
  waiting: Set<(error: Error) => void>;
  broken: boolean;
}

/** One account's ledger with everything around it, of which any part may fail at any time. */
export class World {
  readonly clock = new Clock(START);
  readonly disk = new SimulatedStorage();
  readonly books: SimulatedBooks;
  readonly model = new Model(this);
  /** Goes up when every process is killed: gates of before are gone. */
  generation = 0;
  /** Randomness of the present step. */
  random: Random = () => 0;
  /** No more faults. */
  calm = false;
  #life: Life | null = null;
  #alarms = 0;

  /** Broken on purpose. */
  readonly broken: Break | undefined;

  constructor(broken?: Break) {
    this.broken = broken;
    this.books = new SimulatedBooks(
      this.clock,
      ACCOUNT,
      () => this.#gate(),
      () => this.#fault(),
      broken,
    );
    this.disk.mark = () => this.model.countersWritten;
    const store = this.#storeOf(new ObjectStorage(this.disk, () => this.#gate()));
    this.disk.transaction(() => store.create({ account: ACCOUNT, plan: "sim" }, "2026-06", START));
    this.disk.synced(this.disk.written);
  }

  /** Asks the ledger something, as an RPC: the answer comes when what it is based on is on disk. Rejects when it crashed. */
  async ask<T>(work: (ledger: AccountLedger) => T | Promise<T>): Promise<T> {
    await this.clock.under("request to the ledger");
    const life = this.#awake();
    return new Promise<T>((resolve, reject) => {
      life.waiting.add(reject);
      const answer = async () => {
        const reply = await work(life.ledger);
        await this.#gate();
        life.waiting.delete(reject);
        resolve(reply);
      };
      answer().catch((error) => {
        if (!(life.broken || error instanceof DiskFailure)) this.model.report(`the ledger threw: ${textOf(error)}`);
        reject(new Gone("broken"));
      });
    });
  }

  /** Lets the alarm ring. Whether it was due is up to the caller. */
  ring(): void {
    if (this.#life?.broken) return;
    const life = this.#awake();
    const at = this.disk.alarm;
    this.disk.setAlarm(null);
    this.#alarms++;
    // An alarm is done with when what its handler wrote is on disk.
    const work = life.ledger.onAlarm(this.books as unknown as D1Database).then(() => this.#gate("ledger: alarm"));
    work.then(
      () => {
        if (this.#life === life) this.#alarms--;
      },
      (error) => {
        // The runtime rings again when a handler failed; when the object ended with it, `crash` sees to that.
        if (this.#life !== life || life.broken) return;
        this.#alarms--;
        if (!(error instanceof DiskFailure)) this.model.report(`the alarm threw: ${textOf(error)}`);
        this.disk.setAlarm(at ?? this.clock.now);
        this.disk.synced(this.disk.written);
      },
    );
  }

  get asleep(): boolean {
    return this.#life === null;
  }

  /** Ends the object at once. With `all`, the gates that wait for it too. */
  async crash(keep: number, all: boolean): Promise<void> {
    const life = this.#life;
    this.#life = null;
    if (life) {
      life.broken = true;
      life.storage.end();
      for (const reject of life.waiting) reject(new Gone("crashed"));
    }
    this.clock.forget("ledger");
    if (all) this.generation++;
    this.model.crashed(this.disk.crash(keep));
    // An alarm whose handler did not end rings again.
    if (this.#alarms > 0) this.disk.setAlarm(this.clock.now);
    this.#alarms = 0;
    this.disk.synced(this.disk.written);
    await settled();
  }

  /** Ends what a failed disk has broken. */
  async bury(): Promise<boolean> {
    if (!this.#life?.broken) return false;
    await this.crash(this.random(), false);
    return true;
  }

  close(): void {
    this.disk.close();
    this.books.close();
  }

  #awake(): Life {
    if (this.#life?.broken) throw new Gone("the ledger is ending");
    if (this.#life) return this.#life;
    const storage = new ObjectStorage(
      this.disk,
      () => this.#gate("ledger: sync"),
      () => this.model.countersAreWritten(),
    );
    const life: Life = { storage, waiting: new Set(), broken: false, ledger: undefined as unknown as AccountLedger };
    const store = this.#storeOf(storage);
    store.upgrade();
    life.ledger = new AccountLedger(store, storage as unknown as DurableObjectStorage, PLANS, {
      now: () => this.clock.now,
      onBroken: (error) => {
        if (!(error instanceof DiskFailure)) this.model.report(`the ledger could not write: ${textOf(error)}`);
        // `ctx.abort` ends the object on the spot.
        life.broken = true;
        storage.end();
      },
    });
    this.#life = life;
    return life;
  }

  #storeOf(storage: ObjectStorage): Store {
    const kind = this.broken === "no shares" ? ForgetfulStore : Store;
    return new kind(storage as unknown as DurableObjectStorage);
  }

  async #gate(label = "ledger: output gate"): Promise<void> {
    const unit = this.disk.written;
    await this.clock.under(label);
    this.disk.synced(unit);
  }

  #fault(): Fault {
    if (this.calm) return "none";
    const roll = this.random();
    if (roll < 0.6) return "none";
    return roll < 0.75 ? "refused" : roll < 0.9 ? "written, no answer" : "no answer, written later";
  }
}

const textOf = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
