import { AccountLedger } from "../../src/ledger/account_ledger.ts";
import { BudgetStore } from "../../src/ledger/budget_store.ts";
import { recover } from "../../src/ledger/redo.ts";
import { Resident, residentLedger } from "../../src/ledger/resident.ts";
import { Store } from "../../src/ledger/store.ts";
import type { Settlement, SettleRequest } from "../../src/ledger/types.ts";
import { type Fault, SimulatedBooks } from "./books.ts";
import { type Break, ForgetfulStore, UnreadStore } from "./breaks.ts";
import { Clock, settled } from "./clock.ts";
import { Model } from "./model.ts";
import { ACCOUNT, PLANS, type Random } from "./plan.ts";
import { DiskFailure, ObjectStorage, SimulatedStorage } from "./storage.ts";

/** Just before a month ends, so that some runs cross it. */
const START = Date.UTC(2026, 5, 30, 23, 57);

export class Gone extends Error {}

/** Was on its way for so long that nobody waits for the answer any more. */
export class GivenUp extends Gone {}

const REQUEST = "request to the ledger";

interface Life {
  ledger: AccountLedger;
  resident: Resident;
  storage: ObjectStorage;
  waiting: Set<(error: Error) => void>;
  broken: boolean;
}

/** What a ledger decided in the isolate of who asked. */
interface Near<T> {
  reply: T;
  ledger: Resident;
  /** Its object has ended without anybody here knowing. */
  lost: boolean;
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
  #elsewhere = false;
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
    this.clock.onTimer = () => this.#own("clock");
    this.disk.mark = () => this.model.countersWritten;
    const store = this.#storeOf(new ObjectStorage(this.disk, () => this.#gate()));
    this.disk.transaction(() => store.create({ account: ACCOUNT, plan: "sim" }, "2026-06", START));
    this.disk.synced(this.disk.written);
  }

  /**
   * Asks the ledger the short way, as the gate of its isolate does; undefined when it must be asked by an RPC. What is lost
   * ends with the memory that decided it.
   */
  askNear<T>(work: (ledger: Resident) => T | undefined): Near<T> | undefined {
    const near = this.#near(work);
    const ms = near?.ledger.tendIn();
    const tend = () => {
      if (near?.ledger.isUntended) this.ask(() => {}, true).catch(() => {});
    };
    if (ms !== undefined && this.broken !== "untended") setTimeout(tend, ms);
    return near;
  }

  /** Ends a call the short way; undefined when it must be ended by an RPC. It is told when `keep` says so. */
  settleNear(request: SettleRequest): Near<Settlement> | undefined {
    return this.#near((ledger) => ledger.settle(request));
  }

  /** Whether the ledger has written, as an RPC, what was settled in that memory of it. */
  keep({ ledger }: Near<Settlement>): Promise<boolean> {
    return this.ask((_, resident) => resident.keep(this.broken === "unkept" ? resident.life : ledger.life));
  }

  #near<T>(work: (ledger: Resident) => T | undefined): Near<T> | undefined {
    const ledger = residentLedger(ACCOUNT);
    if (!ledger) return undefined;
    this.#elsewhere = true;
    try {
      const reply = work(ledger);
      return reply === undefined ? undefined : { reply, ledger, lost: this.#life?.resident !== ledger };
    } finally {
      this.#elsewhere = false;
    }
  }

  /**
   * Asks the ledger something, as an RPC: the answer comes when what it is based on is on disk. Rejects when it crashed, or
   * when the request came later than `patienceMs`. `call`: about a call.
   */
  async ask<T>(
    work: (ledger: AccountLedger, resident: Resident) => T | Promise<T>,
    call = false,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    const asked = this.clock.now;
    await this.clock.under(REQUEST);
    if (this.clock.now - asked > patienceMs) throw new GivenUp("given up");
    const life = this.#awake();
    return new Promise<T>((resolve, reject) => {
      life.waiting.add(reject);
      const answer = async () => {
        if (call) life.resident.present();
        const reply = await work(life.ledger, life.resident);
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

  /** Looks at the disk as an object that wakes now would find it. */
  asRecovered<T>(look: () => T): T {
    const storage = new ObjectStorage(this.disk, async () => {});
    return this.disk.aside(() => {
      recover(this.#storeOf(storage), new BudgetStore(storage.sql as unknown as SqlStorage));
      return look();
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

  /** What open calls hold, as far as memory knows, in nano-USD. */
  get held(): number {
    return this.#life?.ledger.balance(0).reserved_nano ?? 0;
  }

  /** The time is over by which the object had to be asked to see to what was decided elsewhere, and no request is on its way. */
  get overdue(): boolean {
    const due = this.#life?.ledger.turn.due ?? Number.POSITIVE_INFINITY;
    return due < this.clock.now && !this.clock.isUnder(REQUEST);
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
    if (all) {
      this.generation++;
      residentLedger(ACCOUNT)?.leave();
    }
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
    residentLedger(ACCOUNT)?.leave();
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
    storage.onUse = () => this.#own("storage");
    const waiting = new Set<(error: Error) => void>();
    const life = { storage, waiting, broken: false } as Life;
    const store = this.#storeOf(storage);
    store.upgrade();
    life.ledger = new AccountLedger(store, storage as unknown as DurableObjectStorage, PLANS, {
      now: () => this.clock.now,
      onBroken: (error) => {
        if (!(error instanceof DiskFailure)) this.model.report(`the ledger could not write: ${textOf(error)}`);
        // `ctx.abort` ends the object on the spot.
        life.resident?.leave();
        life.broken = true;
        storage.end();
      },
    });
    life.resident = new Resident(ACCOUNT, life.ledger, () => this.clock.now);
    this.#life = life;
    return life;
  }

  #own(what: string): void {
    if (this.#elsewhere) this.model.report(`the ${what} was used in a turn that is not the object's`);
  }

  #storeOf(storage: ObjectStorage): Store {
    const kind = { "no shares": ForgetfulStore, "no recovery": UnreadStore }[this.broken as string] ?? Store;
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
