import { AuditLog } from "./audit_chain_store.ts";
import { type BooksState, ENDS_HOLD, type Entry, type Hold } from "./books.ts";
import type { RedoRecord } from "./redo.ts";
import { RedoTable } from "./redo_table.ts";
import type { Account, CallBatch, OutboxRow, StoredResult } from "./rows.ts";
import { createTables, upgradeTables } from "./schema.ts";
import { type KeyRow, rowOfKey, type StoredKey, storedKey } from "./stored_key.ts";
import type { TallyRow } from "./tally.ts";
import { UsageTable } from "./usage_table.ts";
import type { WindowsSnapshot } from "./windows.ts";

/** The ledger's tables and the statements over them. Bulk rows travel as one JSON parameter where they are many. */

/** A statement of a Durable Object binds 100 values, and each costs as much as binding them all. */
const ENTRIES_A_STATEMENT = 11;
const insertions: string[] = [];

/** The statement that appends so many entries; the same text each time, so that it is compiled once. */
function insertEntries(count: number): string {
  insertions[count] ??=
    "INSERT INTO entries (call_id, kind, at, key_id, hold_nano, credit_nano, tokens, cost_nano, detail) VALUES " +
    Array(count).fill("(?, ?, ?, ?, ?, ?, ?, ?, ?)").join(", ");
  return insertions[count];
}

/** Keeps a batch well below the size of a statement's parameter. */
const CALLS_A_BATCH = 1_000;

export class Store {
  readonly #storage: DurableObjectStorage;
  readonly #sql: SqlStorage;
  readonly #log: AuditLog;
  readonly #redo: RedoTable;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    this.#sql = storage.sql;
    this.#log = new AuditLog(storage.sql);
    this.#redo = new RedoTable(storage.sql);
  }

  /** False for an account that was never opened: asking about one writes nothing. */
  exists(): boolean {
    return this.#sql.exec("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'account'").toArray().length > 0;
  }

  create(account: Pick<Account, "account" | "plan">, month: string, now: number): void {
    createTables(this.#sql);
    this.#sql.exec(
      "INSERT INTO account (id, account, plan, created_at) VALUES (1, ?, ?, ?)",
      account.account,
      account.plan,
      now,
    );
    this.#sql.exec("INSERT INTO books VALUES (1, 0, 0, ?, 0)", month);
    this.#sql.exec("INSERT INTO outbox VALUES (1, 0)");
  }

  /** Brings the tables of a ledger that was opened by an earlier version up to date. */
  upgrade(): void {
    this.#storage.transactionSync(() => upgradeTables(this.#sql));
  }

  transaction(work: () => void): void {
    this.#storage.transactionSync(work);
  }

  account(): Account {
    return this.#sql
      .exec<{ account: string; plan: string; planAsOf: number; prefers: string | null }>(
        "SELECT account, plan, plan_as_of AS planAsOf, prefers FROM account WHERE id = 1",
      )
      .one();
  }

  setPlan(plan: string, asOf: number): void {
    this.#sql.exec("UPDATE account SET plan = ?, plan_as_of = ? WHERE id = 1", plan, asOf);
  }

  setPreferred(model: string | null): void {
    this.#sql.exec("UPDATE account SET prefers = ? WHERE id = 1", model);
  }

  blockedUsers(): string[] {
    const rows = this.#sql.exec<{ user: string }>("SELECT user FROM blocked_users").toArray();
    return rows.map(({ user }) => user);
  }

  block(user: string, now: number): void {
    this.#sql.exec("INSERT INTO blocked_users VALUES (?, ?) ON CONFLICT DO NOTHING", user, now);
  }

  unblock(user: string): void {
    this.#sql.exec("DELETE FROM blocked_users WHERE user = ?", user);
  }

  keys(): StoredKey[] {
    return this.#sql
      .exec("SELECT * FROM keys")
      .toArray()
      .map((row) => storedKey(row as unknown as KeyRow));
  }

  putKey(key: StoredKey): void {
    this.#sql.exec(
      `INSERT INTO keys (id, hash, name, user, scopes, created_at, expires_at, revoked_at, last_used_at, limits, budget, created_by, previous)
       SELECT value ->> 'id', value ->> 'hash', value ->> 'name', value ->> 'user', value ->> 'scopes', value ->> 'created_at',
              value ->> 'expires_at', value ->> 'revoked_at', value ->> 'last_used_at', value ->> 'limits', value ->> 'budget',
              value ->> 'created_by', value ->> 'previous' FROM (SELECT ? AS value) WHERE true
       ON CONFLICT (id) DO UPDATE SET hash = excluded.hash, name = excluded.name, revoked_at = excluded.revoked_at,
         last_used_at = excluded.last_used_at, limits = excluded.limits, budget = excluded.budget, previous = excluded.previous`,
      JSON.stringify(rowOfKey(key)),
    );
  }

  books(): BooksState {
    const row = this.#sql.exec("SELECT * FROM books WHERE id = 1").one();
    return {
      balanceNano: row.balance_nano as number,
      settledCostNano: row.settled_cost_nano as number,
      month: row.month as string,
      tokensUsed: row.tokens_used as number,
    };
  }

  holds(): Hold[] {
    return this.#sql
      .exec<{ body: string }>("SELECT body FROM holds")
      .toArray()
      .map((row) => JSON.parse(row.body));
  }

  /** Appends entries with the state they lead to and the holds they leave open: one unit. */
  post(entries: readonly (Entry & { at: number })[], books: BooksState, open: ReadonlyMap<string, Hold>): void {
    for (let i = 0; i < entries.length; i += ENTRIES_A_STATEMENT) {
      const some = entries.slice(i, i + ENTRIES_A_STATEMENT);
      const values = some.flatMap(
        ({ callId, kind, at, keyId, holdNano, creditNano, tokens, costNano, detail }) =>
          [callId, kind, at, keyId, holdNano, creditNano, tokens, costNano, JSON.stringify(detail)] as const,
      );
      this.#sql.exec(insertEntries(some.length), ...values);
    }
    this.#sql.exec(
      "UPDATE books SET balance_nano = ?, settled_cost_nano = ?, month = ?, tokens_used = ? WHERE id = 1",
      books.balanceNano,
      books.settledCostNano,
      books.month,
      books.tokensUsed,
    );
    this.#keepHolds(entries, open);
  }

  #keepHolds(entries: readonly Entry[], open: ReadonlyMap<string, Hold>): void {
    const placed = new Set(entries.flatMap(({ kind, callId }) => (kind === "hold" ? [callId] : [])));
    const kept = [...placed].flatMap((callId) => open.get(callId) ?? []);
    if (kept.length > 0) {
      this.#sql.exec(
        "INSERT OR REPLACE INTO holds SELECT value ->> 'callId', value FROM json_each(?)",
        JSON.stringify(kept),
      );
    }
    // A hold that was placed and ended since the last write never came to the table.
    const ended = entries.flatMap(({ kind, callId }) => (ENDS_HOLD.has(kind) && !placed.has(callId) ? [callId] : []));
    if (ended.length === 0) return;
    this.#sql.exec("DELETE FROM holds WHERE call_id IN (SELECT value FROM json_each(?))", JSON.stringify(ended));
  }

  /** Keeps what calls changed until it is in the tables. */
  appendRedo(record: RedoRecord): void {
    this.#redo.append(record);
  }

  /** What is kept so, oldest first. */
  redo(): RedoRecord[] {
    return this.#redo.all();
  }

  /** It is in the tables now. Call it in the transaction that puts it there. */
  clearRedo(): void {
    this.#redo.clear();
  }

  /** The entry that ended a call, if it has ended. */
  ended(callId: string): { kind: string; cost_nano: number; credit_nano: number; detail: string } | undefined {
    return this.#sql
      .exec<{ kind: string; cost_nano: number; credit_nano: number; detail: string }>(
        `SELECT kind, cost_nano, (SELECT sum(credit_nano) FROM entries o WHERE o.call_id = e.call_id) AS credit_nano, detail
         FROM entries e WHERE call_id = ? AND kind IN ('settle', 'void')`,
        callId,
      )
      .toArray()[0];
  }

  /** The entry of a call whose hold expired, if it did: `at` in ms, `detail` as JSON. */
  expired(callId: string): { at: number; detail: string } | undefined {
    return this.#sql
      .exec<{ at: number; detail: string }>(
        "SELECT at, detail FROM entries WHERE call_id = ? AND kind = 'expire'",
        callId,
      )
      .toArray()[0];
  }

  putCalls(rows: readonly OutboxRow[]): void {
    const lines = this.#log.extend(rows);
    for (let i = 0; i < lines.length; i += CALLS_A_BATCH) this.#putBatch(lines.slice(i, i + CALLS_A_BATCH));
  }

  #putBatch(rows: readonly OutboxRow[]): void {
    const last = rows.at(-1);
    if (!last) return;
    this.#sql.exec(
      "INSERT INTO call_batches VALUES (?, ?, ?, ?, ?, ?, ?)",
      last.pos,
      rows.length,
      rows.filter((row) => row.model !== null).length,
      rows.reduce((sum, row) => sum + row.cost_nano, 0),
      JSON.stringify([...new Set(rows.map((row) => row.at.slice(0, 7)))]),
      last.at,
      JSON.stringify(rows),
    );
  }

  /** Newest first; a call that was amended appears once, as it is now. */
  recentCalls(limit: number): OutboxRow[] {
    const batches = this.#sql.exec<{ body: string }>("SELECT body FROM call_batches ORDER BY pos DESC LIMIT ?", limit);
    const newest = new Map<string, OutboxRow>();
    for (const { body } of batches) {
      for (const row of (JSON.parse(body) as OutboxRow[]).reverse()) if (!newest.has(row.id)) newest.set(row.id, row);
      if (newest.size >= limit) break;
    }
    return [...newest.values()].slice(0, limit);
  }

  /** Position up to which D1 has acknowledged. */
  acknowledged(): number {
    return this.#sql.exec<{ acked: number }>("SELECT acked FROM outbox WHERE id = 1").one().acked;
  }

  /** Batches after a position, oldest first: as many as fit into so many characters, and at least one if there is any. */
  batchesAfter(pos: number, most: number): CallBatch[] {
    const batches: CallBatch[] = [];
    let length = 0;
    const rows = this.#sql.exec<Omit<CallBatch, "months"> & { months: string }>(
      "SELECT pos, calls, metered, cost_nano AS costNano, months, body FROM call_batches WHERE pos > ? ORDER BY pos",
      pos,
    );
    for (const row of rows) {
      length += row.body.length;
      if (batches.length > 0 && length > most) break;
      batches.push({ ...row, months: JSON.parse(row.months) });
    }
    return batches;
  }

  acknowledge(pos: number): void {
    this.#sql.exec("UPDATE outbox SET acked = max(acked, ?) WHERE id = 1", pos);
  }

  /** Position of the newest call, calls waiting for D1, and what those cost. */
  outbox(): { pos: number; pending: number; pendingNano: number } {
    return this.#sql
      .exec<{ pos: number; pending: number; pendingNano: number }>(
        `SELECT max(acked, coalesce((SELECT max(pos) FROM call_batches), 0)) AS pos,
                (SELECT coalesce(sum(calls), 0) FROM call_batches WHERE pos > acked) AS pending,
                (SELECT coalesce(sum(cost_nano), 0) FROM call_batches WHERE pos > acked) AS pendingNano FROM outbox WHERE id = 1`,
      )
      .one();
  }

  /** Forgets calls D1 has acknowledged once they are older than `before` (ISO), and results past their time. */
  prune(before: string, now: number): void {
    this.#sql.exec("DELETE FROM call_batches WHERE pos <= (SELECT acked FROM outbox) AND newest < ?", before);
    this.#sql.exec("DELETE FROM results WHERE expires_at <= ?", now);
    this.#sql.exec("DELETE FROM spending WHERE slot < unixepoch(?) / 900", before);
  }

  addTally(rows: readonly TallyRow[]): void {
    this.#sql.exec(
      `INSERT INTO tally SELECT value ->> 'day', value ->> 'tool', value ->> 'model', value ->> 'key_id', value ->> 'session', value ->> 'user', value ->> 'client', value ->> 'calls', value ->> 'errors',
              value ->> 'input_tokens', value ->> 'output_tokens', value ->> 'cost_nano' FROM json_each(?) WHERE true
       ON CONFLICT DO UPDATE SET calls = calls + excluded.calls, errors = errors + excluded.errors,
         input_tokens = input_tokens + excluded.input_tokens, output_tokens = output_tokens + excluded.output_tokens,
         cost_nano = cost_nano + excluded.cost_nano`,
      JSON.stringify(rows),
    );
  }

  /** Questions about usage, for reports. */
  get usage(): UsageTable {
    return new UsageTable(this.#sql);
  }

  windows(): Map<string, WindowsSnapshot> {
    const rows = this.#sql.exec<{ scope: string; body: string }>("SELECT scope, body FROM windows").toArray();
    return new Map(rows.map(({ scope, body }) => [scope, JSON.parse(body)]));
  }

  putWindows(scope: string, snapshot: WindowsSnapshot): void {
    this.#sql.exec("INSERT OR REPLACE INTO windows VALUES (?, ?)", scope, JSON.stringify(snapshot));
  }

  result(key: string, now: number): StoredResult | undefined {
    const [row] = this.#sql
      .exec<{ inputHash: string; callId: string; result: string; costNano: number; settlement: string | null }>(
        `SELECT input_hash AS inputHash, call_id AS callId, result, cost_nano AS costNano, settlement FROM results
         WHERE key = ? AND expires_at > ?`,
        key,
        now,
      )
      .toArray();
    if (!row) return undefined;
    const { settlement, ...stored } = row;
    return { ...stored, ...(settlement === null ? {} : { settlement: JSON.parse(settlement) }) };
  }

  putResult(key: string, stored: StoredResult, expiresAt: number): void {
    const { inputHash, callId, result, costNano, settlement } = stored;
    this.#sql.exec(
      "INSERT OR REPLACE INTO results VALUES (?, ?, ?, ?, ?, ?, ?)",
      key,
      inputHash,
      callId,
      result,
      costNano,
      expiresAt,
      settlement ? JSON.stringify(settlement) : null,
    );
  }

  /** Sums over every entry ever posted. Grows with the history: for audits, never on the path of a call. */
  sums(): { entries: number; credit: number; hold: number; cost: number; holds: number; holdsNano: number } {
    return this.#sql
      .exec<{ entries: number; credit: number; hold: number; cost: number; holds: number; holdsNano: number }>(
        `SELECT count(*) AS entries, coalesce(sum(credit_nano), 0) AS credit, coalesce(sum(hold_nano), 0) AS hold,
                coalesce(sum(cost_nano), 0) AS cost, (SELECT count(*) FROM holds) AS holds,
                (SELECT coalesce(sum(body ->> 'nano'), 0) FROM holds) AS holdsNano FROM entries`,
      )
      .one();
  }
}
