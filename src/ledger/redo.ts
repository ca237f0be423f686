import { type BooksState, ENDS_HOLD, type Entry, type Hold } from "./books.ts";
import { type BudgetStore, slotRowOf } from "./budget_store.ts";
import type { OutboxRow } from "./rows.ts";
import type { Store } from "./store.ts";
import { changesOf } from "./tally.ts";

/**
 * The redo log: what calls changed, one row for each write, until it is in the tables. A row is all a call waits for, and costs
 * half of what the tables do; those are written once a second, or when they are asked. What the log has and the tables
 * lack after a crash is put into them before the ledger wakes.
 */

export interface RedoRecord {
  entries: (Entry & { at: number })[];
  /** State that the entries lead to. */
  books: BooksState;
  /** Those of the entries' holds that were open then. */
  holds: Hold[];
  /** Lines of the usage records, each with the one it amends. */
  calls: [row: OutboxRow, amended?: OutboxRow][];
}

/** Puts what a crash left in the log into the tables. */
export function recover(store: Store, budgets: BudgetStore): void {
  const records = store.redo();
  const last = records.at(-1);
  if (!last) return;
  const entries = records.flatMap((record) => record.entries);
  const calls = records.flatMap((record) => record.calls);
  const changes = calls.flatMap(([row, amended]) => changesOf(row, amended).map((change) => ({ change, at: row.at })));
  const slots = changes.flatMap(({ change, at }) => slotRowOf(change, at) ?? []);
  store.transaction(() => {
    if (entries.length > 0) store.post(entries, last.books, openAfter(records));
    if (calls.length > 0) store.putCalls(newestOf(calls.map(([row]) => row)));
    if (changes.length > 0) store.addTally(changes.map(({ change }) => change));
    if (slots.length > 0) budgets.addSlots(slots);
    store.clearRedo();
  });
}

function openAfter(records: readonly RedoRecord[]): Map<string, Hold> {
  const open = new Map<string, Hold>();
  for (const { entries, holds } of records) {
    for (const { kind, callId } of entries) if (ENDS_HOLD.has(kind)) open.delete(callId);
    for (const hold of holds) open.set(hold.callId, hold);
  }
  return open;
}

/** Each call's last line, in the order of those. */
function newestOf(rows: readonly OutboxRow[]): OutboxRow[] {
  const newest = new Map<string, OutboxRow>();
  for (const row of rows) {
    newest.delete(row.id);
    newest.set(row.id, row);
  }
  return [...newest.values()];
}
