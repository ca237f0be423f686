import type { Env } from "../env.ts";
import { unwrap } from "../errors.ts";
import { monthOf } from "../ledger/calendar.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { LedgerBooks, MonthBooks, Sums } from "../ledger/reconcile.ts";

/** Accounts compared by one cron turn: each is two questions to its ledger and one to D1. */
const ACCOUNTS_A_TURN = 200;
const ACCOUNTS_A_PAGE = 50;
/** How often an account is looked at again when rows were copied while it was compared. */
const TRIES = 4;

/** A figure that D1 has otherwise than the ledger. Tokens, calls, or nano-USD. */
export interface Drift {
  account: string;
  month: string;
  book: "usage_records" | "monthly_usage";
  field: string;
  ledger: number;
  d1: number;
}

interface Run {
  id: string;
  started_at: string;
  finished_at: string | null;
  cursor: string;
}

/**
 * Compares the books in D1 with the ledgers, this month and the one before, once a UTC day: goes on with a run that was cut
 * off, begins one when the last is of another day, and otherwise does nothing. Differences are stored and logged; nothing
 * is corrected. Returns how many accounts were looked at.
 */
export async function reconcile(env: Env, now = new Date()): Promise<number> {
  const run = await currentRun(env, now);
  if (!run) return 0;
  let { cursor } = run;
  let seen = 0;
  for (;;) {
    const page = await accountsAfter(env, cursor);
    for (const account of page) await settleAccount(env, run.id, account, now);
    seen += page.length;
    cursor = page.at(-1) ?? cursor;
    const done = page.length < ACCOUNTS_A_PAGE;
    await keepPlace(env, run.id, cursor, page.length, done ? new Date().toISOString() : null);
    if (done || seen >= ACCOUNTS_A_TURN) break;
  }
  return seen;
}

async function currentRun(env: Env, now: Date): Promise<Run | null> {
  const last = await env.DB.prepare(
    "SELECT id, started_at, finished_at, cursor FROM reconciliation_runs ORDER BY started_at DESC LIMIT 1",
  ).first<Run>();
  if (last && last.finished_at === null) return last;
  const startedAt = now.toISOString();
  if (last && last.started_at.slice(0, 10) >= startedAt.slice(0, 10)) return null;
  const run = { id: `rec_${crypto.randomUUID()}`, started_at: startedAt, finished_at: null, cursor: "" };
  await env.DB.prepare("INSERT INTO reconciliation_runs VALUES (?, ?, NULL, '', 0, 0, 0)")
    .bind(run.id, startedAt)
    .run();
  return run;
}

async function accountsAfter(env: Env, cursor: string): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT id FROM accounts WHERE id > ? ORDER BY id LIMIT ?")
    .bind(cursor, ACCOUNTS_A_PAGE)
    .all<{ id: string }>();
  return results.map(({ id }) => id);
}

const keepPlace = (env: Env, run: string, cursor: string, accounts: number, finishedAt: string | null) =>
  env.DB.prepare("UPDATE reconciliation_runs SET cursor = ?2, accounts = accounts + ?3, finished_at = ?4 WHERE id = ?1")
    .bind(run, cursor, accounts, finishedAt)
    .run();

/** Compares one account and writes down what differs, or that it could not be compared. */
async function settleAccount(env: Env, run: string, account: string, now: Date): Promise<void> {
  const drifts = await compare(env, account, now).catch(() => null);
  if (drifts?.length === 0) return;
  if (drifts === null) {
    console.log(JSON.stringify({ event: "reconciliation_skipped", run, account }));
    await env.DB.prepare("UPDATE reconciliation_runs SET busy = busy + 1 WHERE id = ?").bind(run).run();
    return;
  }
  for (const drift of drifts) console.log(JSON.stringify({ event: "drift", run, ...drift }));
  const insert = env.DB.prepare("INSERT OR REPLACE INTO reconciliation_drifts VALUES (?, ?, ?, ?, ?, ?, ?)");
  await env.DB.batch([
    ...drifts.map(({ month, book, field, ledger, d1 }) => insert.bind(run, account, month, book, field, ledger, d1)),
    env.DB.prepare(
      "UPDATE reconciliation_runs SET drifts = (SELECT count(*) FROM reconciliation_drifts WHERE run = ?1) WHERE id = ?1",
    ).bind(run),
  ]);
}

/** The differences of one account; null when it was written to all the while. */
async function compare(env: Env, account: string, now: Date): Promise<Drift[] | null> {
  const ledger = env.LEDGER.get(env.LEDGER.idFromName(account)) as unknown as Pick<
    Ledger,
    "reconciliation" | "copyMark"
  >;
  const months = [monthOf(now.getTime()), monthBefore(now)];
  for (let tries = 0; tries < TRIES; tries++) {
    const books = unwrap(await ledger.reconciliation(months));
    if (books.mark === null) continue;
    const drifts: Drift[] = [];
    for (const month of books.months) drifts.push(...(await compareMonth(env, account, month, books.waiting)));
    // Rows that D1 got while it was read are no drift.
    if (unwrap(await ledger.copyMark()) === books.mark) return drifts;
  }
  return null;
}

async function compareMonth(
  env: Env,
  account: string,
  mine: MonthBooks,
  waiting: LedgerBooks["waiting"],
): Promise<Drift[]> {
  const { month } = mine;
  const [records, monthly] = await env.DB.batch<Sums & { errors?: number }>([
    env.DB.prepare(
      `SELECT count(*) AS calls, coalesce(sum(input_tokens), 0) AS input_tokens, coalesce(sum(output_tokens), 0) AS output_tokens,
              coalesce(sum(cost_nano), 0) AS cost_nano FROM usage_records
       WHERE account = ? AND at >= ? AND at < ? AND id NOT IN (SELECT value FROM json_each(?))`,
    ).bind(account, `${month}-01`, `${month}-99`, JSON.stringify(waiting)),
    env.DB.prepare(
      "SELECT calls, errors, input_tokens, output_tokens, cost_nano FROM monthly_usage WHERE account = ? AND month = ?",
    ).bind(account, month),
  ]);
  const differing = (book: Drift["book"], ledger: object, d1: object | undefined) =>
    Object.entries(ledger).flatMap(([field, expected]) => {
      const there = (d1 as Record<string, number> | undefined)?.[field] ?? 0;
      return there === expected ? [] : [{ account, month, book, field, ledger: expected, d1: there }];
    });
  return [
    ...differing("usage_records", mine.records, records?.results[0]),
    // The month's line is as of the last copy: with calls on their way it says less, rightly.
    ...(mine.waiting > 0 ? [] : differing("monthly_usage", mine.total, monthly?.results[0])),
  ];
}

function monthBefore(now: Date): string {
  return monthOf(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
}
