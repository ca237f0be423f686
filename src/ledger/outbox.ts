import type { CallBatch, OutboxRow } from "./rows.ts";
import type { Store } from "./store.ts";
import type { UsageTotals } from "./types.ts";

/** Copies calls from the ledger to D1, at least once, by unique id; forgets nothing before D1 has acknowledged it. */

/** Flush as soon as this much money waits, or this many rows, and at the latest after this time. */
const FLUSH_NANO = 5_000_000_000;
const FLUSH_ROWS = 100;
const FLUSH_AFTER_MS = 60_000;
/** Rows alone never flush more often: every flush is a commit that answers wait for. */
const SPACING_MS = 10_000;
const RETRY_MS = 5_000;

/** Characters of calls that go to D1 in one statement, a quarter of what it takes; a larger batch goes alone. */
const FLUSH_LENGTH = 500_000;
/** Flushes of one alarm: a long backlog must not hold the object. */
const FLUSHES_A_TURN = 50;
const PRUNE_EVERY_MS = 60 * 60 * 1_000;
/** Calls stay listed this long once D1 has them. */
const KEEP_CALLS_MS = 40 * 24 * 60 * 60 * 1_000;

/** The calls of a statement, each made text once: what `json_each` tells of an object is made anew for every column asked of it. */
const CALLS = "WITH calls (c) AS MATERIALIZED (SELECT value FROM json_each(?2))";

const USAGE = `
  ${CALLS}
  INSERT INTO usage_records (id, account, at, tool, model, key_id, input_tokens, output_tokens, cost_nano, credit_nano, status, estimated, pos)
  SELECT c ->> 'id', ?1, c ->> 'at', c ->> 'tool', c ->> 'model', c ->> 'key_id', c ->> 'input_tokens',
         c ->> 'output_tokens', c ->> 'cost_nano', c ->> 'credit_nano', c ->> 'status', c ->> 'estimated', c ->> 'pos'
  FROM calls WHERE c ->> 'model' IS NOT NULL
  ON CONFLICT (id) DO UPDATE SET model = excluded.model, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cost_nano = excluded.cost_nano, credit_nano = excluded.credit_nano, status = excluded.status, estimated = excluded.estimated, pos = excluded.pos
  WHERE excluded.pos >= pos`;

/** Lines are only ever appended; rows of before the chain (they have no `seq`) are amended in place as they were then. */
const AUDIT = `
  ${CALLS}
  INSERT INTO audit_logs (id, account, at, actor, action, subject, via, status, duration_ms, seq, prev, hash)
  SELECT c ->> 'id', ?1, c ->> 'at', c ->> 'user', c ->> 'tool', c ->> 'key_id', c ->> 'via',
         c ->> 'status', c ->> 'duration_ms', c ->> 'seq', c ->> 'prev', c ->> 'hash'
  FROM calls WHERE true
  ON CONFLICT (account, seq) WHERE seq IS NOT NULL DO NOTHING
  ON CONFLICT (id) WHERE seq IS NULL DO UPDATE SET status = excluded.status, duration_ms = excluded.duration_ms`;

/** The directory lists the plan; a statement of an issuer may have moved the account to another. */
const PLAN = "UPDATE accounts SET plan = ?2 WHERE id = ?1 AND plan <> ?2";

const MONTH = `
  INSERT INTO monthly_usage (account, month, calls, errors, input_tokens, output_tokens, cost_nano, as_of)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  ON CONFLICT (account, month) DO UPDATE SET calls = excluded.calls, errors = excluded.errors, input_tokens = excluded.input_tokens,
    output_tokens = excluded.output_tokens, cost_nano = excluded.cost_nano, as_of = excluded.as_of
  WHERE excluded.as_of >= as_of`;

/** What is copied along, as of now: absolute, so that a repeated flush changes nothing. */
interface OutboxFacts {
  /** A month's totals. */
  totals: (month: string) => UsageTotals;
  plan: () => string;
}

export class Outbox {
  readonly #store: Store;
  readonly #account: string;
  readonly #facts: OutboxFacts;
  #rows = 0;
  #nano = 0;
  #oldestAt: number;
  #notBefore = 0;
  #failures = 0;
  #prunedAt = 0;
  #draining: Promise<void> | null = null;
  #drains = 0;
  readonly #life = crypto.randomUUID();

  constructor(store: Store, account: string, facts: OutboxFacts, now: number) {
    this.#store = store;
    this.#account = account;
    this.#facts = facts;
    this.#oldestAt = now - FLUSH_AFTER_MS;
    this.#count();
  }

  get pending(): number {
    return this.#rows;
  }

  /** Changes whenever D1 may have been written to; null while it is. */
  get mark(): string | null {
    return this.#draining ? null : `${this.#life}:${this.#drains}`;
  }

  /** Takes note of calls that are on disk now. */
  added(rows: readonly OutboxRow[], now: number): void {
    if (this.#rows === 0) this.#oldestAt = now;
    this.#rows += rows.length;
    for (const row of rows) this.#nano += row.cost_nano;
  }

  /** When the next flush is due, in ms; never if nothing waits. */
  dueAt(now: number): number {
    if (this.#rows === 0) return Number.POSITIVE_INFINITY;
    if (this.#failures > 0) return this.#notBefore;
    if (this.#nano >= FLUSH_NANO) return now;
    return this.#rows >= FLUSH_ROWS ? Math.max(now, this.#notBefore) : this.#oldestAt + FLUSH_AFTER_MS;
  }

  /** Copies what waits, oldest first, until nothing does. What D1 did not take stays and is tried again later. */
  drain(db: D1Database, clock: () => number): Promise<void> {
    // One at a time: two would count the same calls off twice.
    this.#draining ??= this.#drain(db, clock).finally(() => {
      this.#draining = null;
    });
    return this.#draining;
  }

  async #drain(db: D1Database, clock: () => number): Promise<void> {
    this.#drains++;
    let acked = this.#store.acknowledged();
    try {
      for (let i = 0; i < FLUSHES_A_TURN; i++) {
        const batches = this.#store.batchesAfter(acked, FLUSH_LENGTH);
        const last = batches.at(-1);
        if (!last) break;
        await db.batch(this.#statements(db, batches, last.pos));
        acked = last.pos;
      }
      this.#failures = 0;
      this.#notBefore = clock() + SPACING_MS;
    } catch {
      this.#failures++;
      this.#notBefore = clock() + Math.min(FLUSH_AFTER_MS, RETRY_MS * this.#failures);
    }
    this.#oldestAt = clock();
    this.#finish(acked, clock());
  }

  #finish(acked: number, now: number): void {
    this.#store.transaction(() => {
      this.#store.acknowledge(acked);
      if (now - this.#prunedAt < PRUNE_EVERY_MS) return;
      this.#store.prune(new Date(now - KEEP_CALLS_MS).toISOString(), now);
      this.#prunedAt = now;
    });
    this.#count();
  }

  /** Takes what waits from the tables: what is counted must be what is there, however the copying went. */
  #count(): void {
    const { pending, pendingNano } = this.#store.outbox();
    this.#rows = pending;
    this.#nano = pendingNano;
  }

  #statements(db: D1Database, batches: readonly CallBatch[], pos: number): D1PreparedStatement[] {
    const statements = [db.prepare(AUDIT).bind(this.#account, joined(batches))];
    // Calls that used no model are in the audit log alone; the books hold what can cost.
    const metered = batches.filter((batch) => batch.metered > 0);
    if (metered.length > 0) statements.push(db.prepare(USAGE).bind(this.#account, joined(metered)));
    for (const month of new Set(batches.flatMap((batch) => batch.months))) {
      const t = this.#facts.totals(month);
      const sums = [t.calls, t.errors, t.input_tokens, t.output_tokens, t.cost_nano];
      statements.push(db.prepare(MONTH).bind(this.#account, month, ...sums, pos));
    }
    statements.push(db.prepare(PLAN).bind(this.#account, this.#facts.plan()));
    return statements;
  }
}

/** The calls of all the batches as one JSON array: a statement costs D1 more than a row. None of the batches is empty. */
const joined = (batches: readonly CallBatch[]): string => `[${batches.map(({ body }) => body.slice(1, -1)).join()}]`;
