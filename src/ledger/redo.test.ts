import { describe, expect, it } from "vitest";
import { type Bench, HOLD, holdsOnDisk, KEY, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import type { RedoRecord } from "./redo.ts";
import { Store } from "./store.ts";

const USAGE = { input: 100, output: 100 };
/** What a call with that usage costs. */
const COST = 309_000;

const counts = ({ sql }: DurableObjectStorage) =>
  sql
    .exec(
      "SELECT (SELECT count(*) FROM entries) AS entries, (SELECT count(*) FROM redo NATURAL JOIN redo_epoch) AS logged",
    )
    .toArray()
    .map(({ entries, logged }) => [entries, logged])[0];
const chat = { tool: "chat", scope: "chat", metered: true, hold: HOLD };
const settle = (bench: Bench, callId: string) => bench.settle(callId, { hold: HOLD, usage: USAGE }).then(unwrap);

describe("the redo log", () => {
  it("is all that a call waits for; what it has is in the tables when they are asked", () =>
    withLedger("enterprise", async (bench, storage) => {
      await settle(bench, "c1");
      await settle(bench, "c2");
      expect(counts(storage)).toEqual([0, 2]);
      expect(unwrap(await bench.ledger.audit())).toMatchObject({ settled_cost_nano: 2 * COST, consistent: true });
      expect(counts(storage)).toEqual([2, 0]);
    }));

  it("is put into the tables by an object that wakes after a crash: entries, holds, usage, audit log, budgets", () =>
    withLedger("enterprise", async (first, storage) => {
      const budget = { id: "b", kind: "hard", period: "month", nano_usd: 100 * COST } as const;
      unwrap(await first.ledger.budgets.set(budget, first.clock.now));
      const open = await first.admit({ ...chat, callId: "call_open" });
      expect(open).toMatchObject({ kind: "admitted" });
      for (const id of ["c1", "c2", "c3"]) await settle(first, id);
      expect(holdsOnDisk(storage)).toEqual(["call_open"]);
      const second = first.crash();
      const { usage } = (await second.admit({ reads: { recent: 5 } })) as { usage?: Record<string, unknown> };
      expect(usage).toMatchObject({ total: { calls: 4, cost_nano: 3 * COST }, by_key: { [KEY.id]: { calls: 4 } } });
      expect(second.ledger.listBudgets()).toMatchObject([{ id: "b", spent_nano: 3 * COST, reserved_nano: COST }]);
      expect(unwrap(await second.ledger.audit())).toMatchObject({ open_holds: 1, consistent: true, entries: 4 });
      expect((await second.ledger.auditHeads()).head.seq).toBe(4);
      expect(counts(storage)).toEqual([4, 0]);
      // The same once more: nothing is put there twice.
      expect(unwrap(await second.crash().ledger.audit())).toMatchObject({ settled_cost_nano: 3 * COST, entries: 4 });
    }));

  it("writes over its rows, and what it wrote over or is done with is never put into the tables", () =>
    withLedger("enterprise", async (bench, storage) => {
      const rows = () => storage.sql.exec("SELECT count(*) AS n FROM redo").one().n;
      for (const id of ["c1", "c2", "c3"]) await settle(bench, id);
      unwrap(await bench.ledger.audit());
      for (const id of ["c4", "c5"]) await settle(bench, id);
      expect([rows(), counts(storage)]).toEqual([3, [3, 2]]);
      const second = bench.crash();
      expect(unwrap(await second.ledger.audit())).toMatchObject({ settled_cost_nano: 5 * COST, consistent: true });
      await settle(second, "c6");
      expect([rows(), counts(storage)]).toEqual([3, [5, 1]]);
      // A transaction that was to clear it and failed has cleared nothing, and what comes next goes on after it.
      const store = new Store(storage);
      expect(() =>
        store.transaction(() => {
          store.clearRedo();
          throw new Error("the disk is full");
        }),
      ).toThrow("the disk is full");
      store.appendRedo(store.redo()[0] as RedoRecord);
      expect(store.redo()).toHaveLength(2);
    }));

  it("of a ledger that crashed under the version before there were epochs is put into the tables, too", () =>
    withLedger("enterprise", async (bench, storage) => {
      for (const id of ["c1", "c2"]) await settle(bench, id);
      storage.sql.exec(`
        ALTER TABLE redo DROP COLUMN epoch;
        DROP TABLE redo_epoch;
        UPDATE schema SET version = version - 1;
      `);
      new Store(storage).upgrade();
      const second = bench.crash();
      expect(unwrap(await second.ledger.audit())).toMatchObject({ settled_cost_nano: 2 * COST, consistent: true });
      await settle(second, "c3");
      expect(counts(storage)).toEqual([2, 1]);
      expect(unwrap(await second.crash().ledger.audit())).toMatchObject({ settled_cost_nano: 3 * COST, entries: 3 });
    }));

  it("does not hold back a notice: what crosses a threshold is written at once", () =>
    withLedger("enterprise", async (bench, storage) => {
      const budget = { id: "b", kind: "soft", period: "month", nano_usd: 4 * COST } as const;
      unwrap(await bench.ledger.budgets.set(budget, bench.clock.now));
      const given = () => bench.ledger.notices.newest(9).map(({ data }) => data.threshold);
      await settle(bench, "c1");
      expect([given(), counts(storage)]).toEqual([[], [0, 1]]);
      await settle(bench, "c2");
      expect([given(), counts(storage)]).toEqual([[50], [2, 0]]);
      await settle(bench, "c3");
      expect([given(), counts(storage)]).toEqual([[50], [2, 1]]);
    }));

  it("does not keep back credit, and is written when it grows long", () =>
    withLedger("enterprise", async (bench, storage) => {
      await settle(bench, "c1");
      unwrap(await bench.ledger.credit("paid", COST, "test", KEY.id));
      expect(counts(storage)).toEqual([2, 0]);
      for (let i = 0; i < 300; i++) await settle(bench, `more_${i}`);
      const [entries, logged] = counts(storage) as [number, number];
      expect([entries + logged, logged]).toEqual([302, 302 - entries]);
      expect(logged).toBeLessThan(257);
    }));
});
