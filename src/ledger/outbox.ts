import type { CallBatch, Store } from "./store.ts";
import type { UsageTotals } from "./types.ts";

/** Copies calls from the ledger to D1, at least once, by unique id; forgets nothing before D1 has acknowledged it. */

/** Batches and calls that go to D1 at once; a larger batch goes alone. */
const BATCHES_A_FLUSH = 32;
const CALLS_A_FLUSH = 1_000;
/** Flush as soon as this much money or this many rows wait, and at the latest after this time. */
export const FLUSH_NANO = 5_000_000_000;
export const FLUSH_ROWS = 100;
export const FLUSH_AFTER_MS = 60_000;

const USAGE = `
  INSERT INTO usage_records (id, account, at, tool, model, key_id, input_tokens, output_tokens, cost_nano, credit_nano, status, estimated)
  SELECT value ->> 'id', ?1, value ->> 'at', value ->> 'tool', value ->> 'model', value ->> 'key_id', value ->> 'input_tokens',
         value ->> 'output_tokens', value ->> 'cost_nano', value ->> 'credit_nano', value ->> 'status', value ->> 'estimated'
  FROM json_each(?2) WHERE value ->> 'model' IS NOT NULL
  ON CONFLICT (id) DO UPDATE SET model = excluded.model, input_tokens = excluded.input_tokens, output_tokens = excluded.output_tokens,
    cost_nano = excluded.cost_nano, credit_nano = excluded.credit_nano, status = excluded.status, estimated = excluded.estimated`;

const AUDIT = `
  INSERT INTO audit_logs (id, account, at, actor, action, subject, via, status, duration_ms)
  SELECT value ->> 'id', ?1, value ->> 'at', value ->> 'user', value ->> 'tool', value ->> 'key_id', value ->> 'via',
         value ->> 'status', value ->> 'duration_ms'
  FROM json_each(?2) WHERE true
  ON CONFLICT (id) DO UPDATE SET status = excluded.status, duration_ms = excluded.duration_ms`;

const MONTH = `
  INSERT INTO monthly_usage (account, month, calls, errors, input_tokens, output_tokens, cost_nano, as_of)
  VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
  ON CONFLICT (account, month) DO UPDATE SET calls = excluded.calls, errors = excluded.errors, input_tokens = excluded.input_tokens,
    output_tokens = excluded.output_tokens, cost_nano = excluded.cost_nano, as_of = excluded.as_of
  WHERE excluded.as_of >= as_of`;

/**
 * Copies the oldest batches. Returns what was acknowledged and whether more waits.
 * `totalsOf` gives a month's totals as of now: absolute, so that a repeated flush changes nothing.
 */
export async function flushBatches(
  db: D1Database,
  store: Store,
  account: string,
  totalsOf: (month: string) => UsageTotals,
): Promise<{ rows: number; nano: number }> {
  const batches = oldest(store.unacknowledged(BATCHES_A_FLUSH));
  const last = batches.at(-1);
  if (!last) return { rows: 0, nano: 0 };
  // Calls that used no model are in the audit log alone; the books hold what can cost.
  const statements = batches.flatMap(({ body, metered }) => [
    db.prepare(AUDIT).bind(account, body),
    ...(metered > 0 ? [db.prepare(USAGE).bind(account, body)] : []),
  ]);
  for (const month of new Set(batches.flatMap((batch) => batch.months))) {
    const t = totalsOf(month);
    statements.push(
      db.prepare(MONTH).bind(account, month, t.calls, t.errors, t.input_tokens, t.output_tokens, t.cost_nano, last.pos),
    );
  }
  await db.batch(statements);
  store.acknowledge(last.pos);
  return {
    rows: batches.reduce((sum, batch) => sum + batch.calls, 0),
    nano: batches.reduce((sum, batch) => sum + batch.costNano, 0),
  };
}

function oldest(batches: CallBatch[]): CallBatch[] {
  let calls = 0;
  const end = batches.findIndex((batch) => {
    calls += batch.calls;
    return calls >= CALLS_A_FLUSH;
  });
  return end < 0 ? batches : batches.slice(0, end + 1);
}
