import { type Books, type Entry, type Hold, OF_CALLS } from "./books.ts";
import type { RedoRecord } from "./redo.ts";
import type { OutboxRow, StoredResult } from "./rows.ts";
import type { Store } from "./store.ts";
import type { StoredKey } from "./stored_key.ts";
import { PendingRows, type TallyRow } from "./tally.ts";
import type { Turn } from "./turn.ts";
import type { SlidingWindows } from "./windows.ts";

/** Counters and last uses of keys are written at the latest this long after. */
const COUNTERS_MS = 1_000;
/** With so many other calls open, one that ends waits a moment for those that end with it: a write costs as much as a call. */
const CROWD = 3;
const GATHER_MS = 2;
/** So many are not kept waiting for more. */
const ENOUGH = 16;
/** So many entries are not left to the log. */
const LOGGED = 256;

/**
 * Everything the ledger has decided in memory and not yet written. It goes into the tables in one transaction, so entries,
 * calls and usage there always belong together: once a second, with the rate counters and last uses of keys, which a crash may
 * take back by that second; or when the tables are asked. What calls must have on disk before that is in the redo log, of which
 * those that end together share a row.
 */
export class Journal {
  readonly #store: Store;
  readonly #books: Books;
  readonly #now: () => number;
  readonly #turn: Turn;
  readonly #onWritten: (rows: readonly OutboxRow[]) => void;
  readonly #onBroken: (error: unknown) => void;
  readonly #onLogged: (() => void) | undefined;
  readonly #alongside: Alongside | undefined;

  #entries: (Entry & { at: number })[] = [];
  /** Whether all of these are of calls. */
  #ofCalls = true;
  #calls = new Map<string, OutboxRow>();
  /** What of these the log lacks: entries from this one on, and calls with what each amends. */
  #unlogged = 0;
  #unloggedCalls: RedoRecord["calls"] = [];
  #logged = false;
  readonly #tally = new PendingRows();
  #results: { key: string; stored: StoredResult; expiresAt: number }[] = [];
  readonly #windows = new Map<string, SlidingWindows>();
  readonly #keys = new Set<StoredKey>();
  /** When the oldest counter that is not written must be. */
  #countersDueAt = Number.POSITIVE_INFINITY;

  /** When timers go off, the next one last. None is taken back when there is nothing left to write: the next call may need it. */
  readonly #alarms: number[] = [];
  #dueAt = Number.POSITIVE_INFINITY;
  /** Those who wait for the next write, whoever begins it. */
  #gathered: { count: number; written: PromiseWithResolvers<void> } | null = null;

  constructor(
    store: Store,
    books: Books,
    hooks: {
      now: () => number;
      turn: Turn;
      onWritten: (rows: readonly OutboxRow[]) => void;
      onBroken: (error: unknown) => void;
      /** What is pending lasts now, and is not in the tables. */
      onLogged?: () => void;
      alongside?: Alongside;
    },
  ) {
    this.#store = store;
    this.#books = books;
    this.#now = hooks.now;
    this.#turn = hooks.turn;
    this.#onWritten = hooks.onWritten;
    this.#onBroken = hooks.onBroken;
    this.#onLogged = hooks.onLogged;
    this.#alongside = hooks.alongside;
  }

  post(entries: readonly Entry[], at: number): void {
    for (const entry of entries) {
      this.#entries.push({ ...entry, at });
      if (!OF_CALLS.has(entry.kind)) this.#ofCalls = false;
    }
  }

  /** A record not yet written, so that it can still be amended in memory. */
  pendingCall(id: string): OutboxRow | undefined {
    return this.#calls.get(id);
  }

  putCall(row: OutboxRow, amended?: OutboxRow): void {
    // It takes the place of its new position.
    if (amended) this.#calls.delete(row.id);
    this.#calls.set(row.id, row);
    this.#unloggedCalls.push(amended ? [row, amended] : [row]);
  }

  tally(row: TallyRow): void {
    this.#tally.add(row);
  }

  putResult(key: string, stored: StoredResult, expiresAt: number): void {
    this.#results.push({ key, stored, expiresAt });
  }

  touched(scope: string, windows: SlidingWindows): void {
    this.#windows.set(scope, windows);
    this.#countersBy(this.#now() + COUNTERS_MS);
  }

  used(key: StoredKey): void {
    this.#keys.add(key);
    this.#countersBy(this.#now() + COUNTERS_MS);
  }

  #countersBy(at: number): void {
    this.#countersDueAt = Math.min(this.#countersDueAt, at);
  }

  /** Sees to it that what is pending is written within `ms`. */
  within(ms: number): void {
    const at = this.#now() + ms;
    this.#dueAt = Math.min(this.#dueAt, at);
    if (this.#turn.own) this.#wake();
    // A timer of its own that goes off before looks at what is due by then.
    else if (at < this.#nextAlarm) this.#turn.leave(at);
  }

  /** Sees to it that what was decided elsewhere is written when it is due. */
  tend(): void {
    if (this.#dueAt < Number.POSITIVE_INFINITY) this.#wake();
  }

  get #nextAlarm(): number {
    return this.#alarms.at(-1) ?? Number.POSITIVE_INFINITY;
  }

  #wake(): void {
    const at = this.#dueAt;
    if (at >= this.#nextAlarm) return;
    this.#alarms.push(at);
    // A clock that was set back must not make a short wait a long one.
    const ms = Math.min(Math.max(0, at - this.#now()), COUNTERS_MS);
    setTimeout(() => {
      this.#alarms.splice(this.#alarms.lastIndexOf(at), 1);
      if (this.#dueAt > Math.max(at, this.#now())) this.#wake();
      else this.#attempt();
    }, ms);
  }

  /** As `flush`, for a call that ends while `others` are open: those that end with it share a write. */
  together(others: number): Promise<void> | undefined {
    if (others < CROWD) {
      this.flush();
      return undefined;
    }
    this.#gathered ??= { count: 0, written: Promise.withResolvers() };
    const { written } = this.#gathered;
    if (++this.#gathered.count >= ENOUGH) this.#attempt();
    else this.within(GATHER_MS);
    return written.promise;
  }

  /** As `flush`, where nobody is there to be told that it failed. */
  #attempt(): void {
    try {
      this.flush();
    } catch {
      // The object ends of it, and whoever waits for this write is told.
    }
  }

  /**
   * Writes what is pending. It need not be waited for: the runtime holds back whatever leaves the object, answers and
   * requests, until all that was written before is on disk.
   */
  flush(): void {
    this.#dueAt = Number.POSITIVE_INFINITY;
    const gathered = this.#gathered?.written;
    this.#gathered = null;
    try {
      if (this.#fitsLog) this.#guarded(() => this.#log());
      else this.write();
    } catch (error) {
      gathered?.reject(error);
      throw error;
    }
    gathered?.resolve();
  }

  /**
   * Puts what is pending into the tables, so that they can be asked. Counters are written when they are due, or with all else
   * when `everything` is asked for.
   */
  write(everything = false): void {
    this.#guarded(() => this.#write(everything));
  }

  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      // Memory is now ahead of the disk: the object must start again from what is written.
      this.#onBroken(error);
      throw error;
    }
  }

  /** Whether the log is enough: nobody looks for what is pending in the tables, and nothing else is to be written with it. */
  get #fitsLog(): boolean {
    if (!this.#ofCalls || this.#entries.length > LOGGED) return false;
    return this.#now() < this.#countersDueAt && !this.#alongside?.isDue();
  }

  #log(): void {
    const entries = this.#entries.slice(this.#unlogged);
    const calls = this.#unloggedCalls;
    const now = this.#now();
    const { state: books, holds } = this.#books;
    const append = () => this.#store.appendRedo({ entries, books, holds: openOf(entries, holds), calls });
    if (this.#results.length > 0) {
      this.#store.transaction(() => {
        append();
        this.#putResults();
      });
    } else if (entries.length + calls.length > 0) append();
    else {
      this.#countersInTime(now);
      return;
    }
    this.#unlogged = this.#entries.length;
    this.#unloggedCalls = [];
    this.#results = [];
    this.#logged = true;
    this.#countersBy(now + COUNTERS_MS);
    this.#countersInTime(now);
    this.#onLogged?.();
  }

  #countersInTime(now: number): void {
    if (this.#countersDueAt < Number.POSITIVE_INFINITY) this.within(this.#countersDueAt - now);
  }

  #putResults(): void {
    for (const { key, stored, expiresAt } of this.#results) this.#store.putResult(key, stored, expiresAt);
  }

  #write(everything: boolean): void {
    const now = this.#now();
    const withCounters = everything || now >= this.#countersDueAt;
    const rows = [...this.#calls.values()];
    let more = false;
    this.#store.transaction(() => {
      if (this.#entries.length > 0) this.#store.post(this.#entries, this.#books.state, this.#books.holds);
      if (rows.length > 0) this.#store.putCalls(rows);
      const tally = this.#tally.drain();
      if (tally.length > 0) this.#store.addTally(tally);
      this.#putResults();
      if (this.#logged) this.#store.clearRedo();
      if (withCounters) this.#writeCounters(now);
      more = this.#alongside?.write() ?? false;
    });
    this.#entries = [];
    this.#ofCalls = true;
    this.#calls = new Map();
    this.#unlogged = 0;
    this.#unloggedCalls = [];
    this.#logged = false;
    this.#results = [];
    if (withCounters) {
      this.#windows.clear();
      this.#keys.clear();
      this.#countersDueAt = Number.POSITIVE_INFINITY;
    } else this.#countersInTime(now);
    if (rows.length > 0 || more) this.#onWritten(rows);
  }

  #writeCounters(now: number): void {
    for (const [scope, windows] of this.#windows) this.#store.putWindows(scope, windows.snapshot(now));
    for (const key of this.#keys) this.#store.putKey(key);
  }
}

/** What else is written with calls and entries. */
interface Alongside {
  /** Whether it is to be written now, and not when the tables are. Needs memory alone. */
  isDue: () => boolean;
  /** Writes it in the same transaction, when all else is in the tables; true: that is to be heard of by `onWritten`. */
  write: () => boolean;
}

const openOf = (entries: readonly Entry[], open: ReadonlyMap<string, Hold>): Hold[] =>
  entries.flatMap(({ kind, callId }) => (kind === "hold" ? (open.get(callId) ?? []) : []));
