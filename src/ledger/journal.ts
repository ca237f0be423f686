import type { Books, Entry } from "./books.ts";
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

/**
 * Everything the ledger has decided in memory and not yet written. One flush writes it all in one transaction, so entries,
 * calls and usage on disk always belong together. Rate counters and last uses of keys, which a crash may take back by a
 * second, are written once a second and not with every charge. Callers that need durability share a flush: while one is being
 * synced, all others gather into the next.
 */
export class Journal {
  readonly #store: Store;
  readonly #storage: DurableObjectStorage;
  readonly #books: Books;
  readonly #now: () => number;
  readonly #turn: Turn;
  readonly #onWritten: (rows: readonly OutboxRow[]) => void;
  readonly #onBroken: (error: unknown) => void;
  /** Writes more in the same transaction, when all else is in the tables; true: that is to be heard of by `onWritten`. */
  readonly #alongside: (() => boolean) | undefined;

  #entries: (Entry & { at: number })[] = [];
  #calls = new Map<string, OutboxRow>();
  readonly #tally = new PendingRows();
  #results: { key: string; stored: StoredResult; expiresAt: number }[] = [];
  readonly #windows = new Map<string, SlidingWindows>();
  readonly #keys = new Set<StoredKey>();
  /** When the oldest counter that is not written must be. */
  #countersDueAt = Number.POSITIVE_INFINITY;

  /** When timers go off, the next one last. None is taken back when there is nothing left to write: the next call may need it. */
  readonly #alarms: number[] = [];
  #dueAt = Number.POSITIVE_INFINITY;
  #syncing: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  /** Those who wait for the next write, whoever begins it. */
  #gathered: { count: number; written: PromiseWithResolvers<void> } | null = null;

  constructor(
    store: Store,
    storage: DurableObjectStorage,
    books: Books,
    hooks: {
      now: () => number;
      turn: Turn;
      onWritten: (rows: readonly OutboxRow[]) => void;
      onBroken: (error: unknown) => void;
      alongside?: () => boolean;
    },
  ) {
    this.#store = store;
    this.#storage = storage;
    this.#books = books;
    this.#now = hooks.now;
    this.#turn = hooks.turn;
    this.#onWritten = hooks.onWritten;
    this.#onBroken = hooks.onBroken;
    this.#alongside = hooks.alongside;
  }

  post(entries: readonly Entry[], at: number): void {
    for (const entry of entries) this.#entries.push({ ...entry, at });
  }

  /** A record not yet written, so that it can still be amended in memory. */
  pendingCall(id: string): OutboxRow | undefined {
    return this.#calls.get(id);
  }

  putCall(row: OutboxRow): void {
    this.#calls.delete(row.id);
    this.#calls.set(row.id, row);
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
      if (this.#dueAt <= Math.max(at, this.#now())) this.durable().catch(this.#onBroken);
      else this.#wake();
    }, ms);
  }

  /** As `durable`, for a call that ends while `others` are open. */
  together(others: number): Promise<void> {
    if (others < CROWD) return this.durable();
    this.#gathered ??= { count: 0, written: Promise.withResolvers() };
    const { written } = this.#gathered;
    if (++this.#gathered.count >= ENOUGH) this.durable().catch(() => {});
    else this.within(GATHER_MS);
    return written.promise;
  }

  /** Resolves when everything pending at the time of the call is on disk. */
  durable(): Promise<void> {
    if (!this.#syncing) return this.#flush();
    this.#next ??= this.#syncing.then(() => {
      this.#next = null;
      return this.#flush();
    });
    return this.#next;
  }

  #flush(): Promise<void> {
    this.#dueAt = Number.POSITIVE_INFINITY;
    const gathered = this.#gathered?.written;
    this.#gathered = null;
    try {
      this.write();
    } catch (error) {
      gathered?.reject(error);
      throw error;
    }
    this.#syncing = this.#storage.sync().finally(() => {
      this.#syncing = null;
    });
    if (gathered) this.#syncing.then(gathered.resolve, gathered.reject);
    return this.#syncing;
  }

  /**
   * Puts what is pending into the tables, so that they can be asked; it lasts once it is `durable`. Counters are written
   * when they are due, or with all else when `everything` is asked for.
   */
  write(everything = false): void {
    try {
      this.#write(everything);
    } catch (error) {
      // Memory is now ahead of the disk: the object must start again from what is written.
      this.#onBroken(error);
      throw error;
    }
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
      for (const { key, stored, expiresAt } of this.#results) this.#store.putResult(key, stored, expiresAt);
      if (withCounters) this.#writeCounters(now);
      more = this.#alongside?.() ?? false;
    });
    this.#entries = [];
    this.#calls = new Map();
    this.#results = [];
    if (withCounters) {
      this.#windows.clear();
      this.#keys.clear();
      this.#countersDueAt = Number.POSITIVE_INFINITY;
    } else if (this.#windows.size > 0) this.within(this.#countersDueAt - now);
    if (rows.length > 0 || more) this.#onWritten(rows);
  }

  #writeCounters(now: number): void {
    for (const [scope, windows] of this.#windows) this.#store.putWindows(scope, windows.snapshot(now));
    for (const key of this.#keys) this.#store.putKey(key);
  }
}
