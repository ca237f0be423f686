import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** The disk fails at this very statement, and what came before it in the same transaction is gone; or the object has ended. */
export class DiskFailure extends Error {}

interface Unit {
  /** What was true when it was written, for whoever wants to know what survived. */
  mark: number;
}

/**
 * The storage of a Durable Object over real SQLite, with the runtime's promises and no more: statements outside a
 * transaction stand alone, transactions are whole or not at all, order is kept, and only what was synced survives a crash
 * for certain. Of what came after, a crash keeps as many of the oldest units as the simulation decides.
 */
export class SimulatedStorage {
  readonly #db = new DatabaseSync(":memory:");
  readonly #statements = new Map<string, StatementSync>();
  #units: Unit[] = [];
  #durable = 0;
  /** Units that survive any crash, though they are not committed yet. */
  #sure = 0;
  #lastMark = 0;
  #inTransaction = false;
  #failAfter = Number.POSITIVE_INFINITY;

  constructor() {
    this.#db.exec("CREATE TABLE simulated_alarm (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER)");
    this.#db.exec("BEGIN");
  }

  /** The next transaction fails after so many of its statements. */
  failAfter(statements: number): void {
    this.#failAfter = statements;
  }

  get written(): number {
    return this.#durable + this.#units.length;
  }

  /** Called when a unit is written: what it returns is given back by `crash` if the unit is the last that survived. */
  mark: () => number = () => 0;

  readonly exec = (query: string, ...bindings: unknown[]) => {
    const reads = /^\s*SELECT/i.test(query);
    if (reads) return cursor(this.#prepared(query).all(...(bindings as SQLInputValue[])));
    if (!this.#inTransaction) this.#begin();
    else if (--this.#failAfter < 0) throw new DiskFailure("the disk failed");
    if (bindings.length === 0) this.#db.exec(query);
    else this.#prepared(query).run(...(bindings as SQLInputValue[]));
    if (!this.#inTransaction) this.#end();
    return cursor([]);
  };

  readonly transaction = <T>(work: () => T): T => {
    if (this.#inTransaction) return work();
    this.#begin();
    this.#inTransaction = true;
    try {
      const result = work();
      this.#end();
      return result;
    } catch (error) {
      const unit = this.written;
      this.#db.exec(`ROLLBACK TO u${unit}; RELEASE u${unit}`);
      throw error;
    } finally {
      this.#inTransaction = false;
      this.#failAfter = Number.POSITIVE_INFINITY;
    }
  };

  /** Runs something and takes back what it wrote. */
  readonly aside = <T>(work: () => T): T => {
    const failAfter = this.#failAfter;
    this.#failAfter = Number.POSITIVE_INFINITY;
    this.#db.exec("SAVEPOINT aside");
    this.#inTransaction = true;
    try {
      return work();
    } finally {
      this.#db.exec("ROLLBACK TO aside; RELEASE aside");
      this.#inTransaction = false;
      this.#failAfter = failAfter;
    }
  };

  /** Everything up to the unit is safe from now on. */
  synced(unit: number): void {
    if (unit < this.written || this.#units.length === 0) {
      this.#sure = Math.max(this.#sure, unit);
      return;
    }
    this.#commit();
  }

  /** Loses what was not synced but for the `keep`-th part of it, 0 to 1. Returns the mark of the last unit that survived. */
  crash(keep: number): number {
    const sure = Math.max(0, this.#sure - this.#durable);
    const kept = sure + Math.round((this.#units.length - sure) * keep);
    if (kept < this.#units.length) {
      this.#db.exec(`ROLLBACK TO u${this.#durable + kept}`);
      this.#units = this.#units.slice(0, kept);
    }
    this.#commit();
    return this.#lastMark;
  }

  get alarm(): number | null {
    return (this.exec("SELECT at FROM simulated_alarm").toArray()[0]?.at as number | undefined) ?? null;
  }

  setAlarm(at: number | null): void {
    if (at === null) this.exec("DELETE FROM simulated_alarm");
    else this.exec("INSERT OR REPLACE INTO simulated_alarm VALUES (1, ?)", at);
  }

  close(): void {
    this.#db.close();
  }

  #begin(): void {
    this.#db.exec(`SAVEPOINT u${this.written}`);
  }

  #end(): void {
    this.#units.push({ mark: this.mark() });
  }

  #commit(): void {
    this.#lastMark = this.#units.at(-1)?.mark ?? this.#lastMark;
    this.#db.exec("COMMIT; BEGIN");
    this.#durable += this.#units.length;
    this.#units = [];
    this.#sure = this.#durable;
  }

  #prepared(query: string): StatementSync {
    let statement = this.#statements.get(query);
    if (!statement) {
      statement = this.#db.prepare(query);
      this.#statements.set(query, statement);
    }
    return statement;
  }
}

type Row = Record<string, unknown>;

function cursor(rows: Row[]) {
  return {
    toArray: () => rows,
    one: () => {
      if (rows.length !== 1) throw new Error(`expected one row, there are ${rows.length}`);
      return rows[0] as Row;
    },
    [Symbol.iterator]: () => rows[Symbol.iterator](),
  };
}

/** One life of the object: what it may do ends with it. */
export class ObjectStorage {
  #alive = true;
  #undo: (() => void) | null = null;
  readonly #disk: SimulatedStorage;
  readonly #synced: () => Promise<void>;
  readonly #onCounters: () => () => void;
  /** Called before each use. */
  onUse: () => void = () => {};

  /** `onCounters` is called when the counters of calls are written; what it returns, when that was undone. */
  constructor(disk: SimulatedStorage, synced: () => Promise<void>, onCounters: () => () => void = () => () => {}) {
    this.#disk = disk;
    this.#synced = synced;
    this.#onCounters = onCounters;
  }

  end(): void {
    this.#alive = false;
  }

  readonly sql = {
    exec: (query: string, ...bindings: unknown[]) => {
      this.#check();
      if (query.includes("INTO windows")) this.#undo ??= this.#onCounters();
      return this.#disk.exec(query, ...bindings);
    },
  };

  transactionSync<T>(work: () => T): T {
    this.#check();
    this.#undo = null;
    try {
      return this.#disk.transaction(work);
    } catch (error) {
      this.#takeBack();
      throw error;
    }
  }

  #takeBack(): void {
    this.#undo?.();
  }

  sync(): Promise<void> {
    this.#check();
    return this.#synced();
  }

  async setAlarm(at: number): Promise<void> {
    this.onUse();
    if (this.#alive) this.#disk.setAlarm(at);
  }

  #check(): void {
    this.onUse();
    if (!this.#alive) throw new DiskFailure("this object has ended");
  }
}
