import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { unwrap } from "../../src/errors.ts";
import type { LedgerAudit } from "../../src/ledger/types.ts";
import { HOLD, SECOND, withLedger } from "../ledger_bench.ts";
import { randomFrom } from "../random.ts";

const ROWS = 10_000;
const PRICED_EVERY = 10;

/** D1 that refuses, or writes and does not answer, or repeats what it was sent before: each a quarter of the time. */
function failing(random: () => number) {
  const faults = { refused: 0, unanswered: 0, repeated: 0 };
  let before: D1PreparedStatement[] = [];
  const db = new Proxy(env.DB, {
    get(target, property) {
      if (property !== "batch") return Reflect.get(target, property).bind(target);
      return async (statements: D1PreparedStatement[]) => {
        const roll = random();
        if (roll < 0.25) {
          faults.refused++;
          throw new Error("overloaded");
        }
        const result = await target.batch(statements);
        if (roll < 0.5) {
          faults.unanswered++;
          before = statements;
          throw new Error("no answer");
        }
        if (roll < 0.75 && before.length > 0) {
          faults.repeated++;
          await target.batch(before);
        }
        return result;
      };
    },
  });
  return { db, faults };
}

it("copies 10,000 rows through a failing D1 once each", { timeout: 120_000 }, () =>
  withLedger("enterprise", async (bench) => {
    const { account, clock, ledger } = bench;
    const seed = Math.floor(Math.random() * 1_000_000);
    const { db, faults } = failing(randomFrom(seed));
    for (let i = 0; i < ROWS; i++) {
      // Slowly enough for the plan's limits.
      clock.now += 250;
      if (i % PRICED_EVERY > 0) {
        await bench.admit({ callId: `free-${i}` });
      } else {
        await bench.admit({ callId: `paid-${i}`, scope: "chat", tool: "chat", metered: true, hold: HOLD });
        await bench.settle(`paid-${i}`, { hold: HOLD, model: HOLD.model, usage: { input: 10, output: 10 } });
      }
      if (i % 100 === 99) {
        await ledger.audit();
        await ledger.onAlarm(db);
      }
    }
    let audit: LedgerAudit = unwrap(await ledger.audit());
    for (let turn = 0; turn < 200 && audit.outbox_pending > 0; turn++) {
      clock.now += 60 * SECOND;
      await ledger.onAlarm(db);
      audit = unwrap(await ledger.audit());
    }
    const what = `seed ${seed}`;
    expect(audit.outbox_pending, what).toBe(0);
    expect(Math.min(faults.refused, faults.unanswered, faults.repeated), what).toBeGreaterThan(0);
    const one = (query: string) => env.DB.prepare(query).bind(account).first();
    expect(
      await one("SELECT count(*) AS n, count(DISTINCT id) AS ids, max(seq) AS seq FROM audit_logs WHERE account = ?"),
      what,
    ).toEqual({ n: ROWS, ids: ROWS, seq: ROWS });
    expect(
      await one("SELECT count(*) AS n, sum(cost_nano) AS cost FROM usage_records WHERE account = ?"),
      what,
    ).toEqual({ n: ROWS / PRICED_EVERY, cost: audit.settled_cost_nano });
    expect(
      await one("SELECT sum(calls) AS calls, sum(cost_nano) AS cost FROM monthly_usage WHERE account = ?"),
      what,
    ).toEqual({ calls: ROWS, cost: audit.settled_cost_nano });
  }),
);
