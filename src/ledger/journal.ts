import type { Books, Entry } from "./books.ts";
import type { OutboxRow, Store, StoredKey, StoredResult } from "./store.ts";
import { PendingRows, type TallyRow } from "./tally.ts";
import type { SlidingWindows } from "./windows.ts";

/**
 * Everything the ledger has decided in memory and not yet written. One flush writes it all in one transaction, so entries,
 * calls and counters on disk always belong together. Callers that need durability share a flush: while one is being
 * synced, all others gather into the next.
 */
export class Journal {
  readonly #store: Store;
  readonly #storage: DurableObjectStorage;
  readonly #books: Books;
  readonly #now: () => number;
  readonly #onWritten: (rows: readonly OutboxRow[]) => void;
  readonly #onBroken: (error: unknown) => void;
  /** Writes more in the same transaction, when all else is in the tables. */
  readonly #alongside: (() => void) | undefined;

  #entries: (Entry & { at: number })[] = [];
  #calls = new Map<string, OutboxRow>();
  readonly #tally = new PendingRows();
  #results: { key: string; stored: StoredResult; expiresAt: number }[] = [];
  readonly #windows = new Map<string, SlidingWindows>();
  readonly #keys = new Set<StoredKey>();

  #timer: ReturnType<typeof setTimeout> | null = null;
  #dueAt = Number.POSITIVE_INFINITY;
  #syncing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(
    store: Store,
    storage: DurableObjectStorage,
    books: Books,
    hooks: {
      now: () => number;
      onWritten: (rows: readonly OutboxRow[]) => void;
      onBroken: (error: unknown) => void;
      alongside?: () => void;
    },
  ) {
    this.#store = store;
    this.#storage = storage;
    this.#books = books;
    this.#now = hooks.now;
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
  }

  used(key: StoredKey): void {
    this.#keys.add(key);
  }

  /** Sees to it that what is pending is written within `ms`. */
  within(ms: number): void {
    const due = this.#now() + ms;
    if (due >= this.#dueAt) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#dueAt = due;
    this.#timer = setTimeout(() => {
      this.durable().catch(this.#onBroken);
    }, ms);
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
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#dueAt = Number.POSITIVE_INFINITY;
    this.write();
    this.#syncing = this.#storage.sync().finally(() => {
      this.#syncing = null;
    });
    return this.#syncing;
  }

  /** Puts everything pending into the tables, so that they can be asked; it lasts once it is `durable`. */
  write(): void {
    try {
      this.#write();
    } catch (error) {
      // Memory is now ahead of the disk: the object must start again from what is written.
      this.#onBroken(error);
      throw error;
    }
  }

  #write(): void {
    const rows = [...this.#calls.values()];
    this.#store.transaction(() => {
      if (this.#entries.length > 0) this.#store.post(this.#entries, this.#books.state, this.#books.holds);
      if (rows.length > 0) this.#store.putCalls(rows);
      const tally = this.#tally.drain();
      if (tally.length > 0) this.#store.addTally(tally);
      for (const { key, stored, expiresAt } of this.#results) this.#store.putResult(key, stored, expiresAt);
      const now = this.#now();
      for (const [scope, windows] of this.#windows) this.#store.putWindows(scope, windows.snapshot(now));
      for (const key of this.#keys) this.#store.putKey(key);
      this.#alongside?.();
    });
    this.#entries = [];
    this.#calls = new Map();
    this.#results = [];
    this.#windows.clear();
    this.#keys.clear();
    if (rows.length > 0) this.#onWritten(rows);
  }
}
