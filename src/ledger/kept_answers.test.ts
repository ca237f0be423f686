import { describe, expect, it } from "vitest";
import { HOLD, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import { KEPT_BYTES, wasTooLarge } from "./attempts.ts";

const idempotency = { key: "k", inputHash: "h" };
const chat = { tool: "chat", scope: "chat", metered: true, hold: HOLD, idempotency };
const used = { hold: HOLD, idempotency, usage: { input: 10, output: 5 } };
const COST = 20_600;

describe("two calls that ran with one idempotency key, because a restart forgot the first", () => {
  it("are charged once, and both get the answer of the first to end, also when that is told again", () =>
    withLedger("enterprise", async (bench) => {
      await bench.admit({ ...chat, callId: "one" });
      const awake = await bench.restart();
      expect(await awake.admit({ ...chat, callId: "two" })).toMatchObject({ kind: "admitted" });
      const two = unwrap(await awake.settle("two", { ...used, result: '"two"' }));
      expect(two).toMatchObject({ costNano: COST });
      expect(two).not.toHaveProperty("kept");
      const { kept: _, ...settlement } = two;
      const kept = { callId: "two", result: '"two"', costNano: COST, settlement };
      expect(unwrap(await awake.settle("one", { ...used, result: '"one"' }))).toMatchObject({ costNano: 0, kept });
      expect(unwrap(await awake.settle("one", { ...used, result: '"one"' }))).toMatchObject({ costNano: 0, kept });
      expect(unwrap(await awake.settle("two", { ...used, result: '"two"' }))).toEqual(two);
      const again = await awake.restart();
      expect(unwrap(await again.settle("one", { ...used, result: '"one"' }))).toMatchObject({ costNano: 0, kept });
      expect(await again.admit({ ...chat, callId: "three" })).toMatchObject({ kind: "replay", ...kept });
      expect(unwrap(await again.ledger.audit())).toMatchObject({
        settled_cost_nano: COST,
        open_holds: 0,
        consistent: true,
      });
    }));

  it("both get it when the other failed", () =>
    withLedger("enterprise", async (bench) => {
      await bench.admit({ ...chat, callId: "one" });
      const awake = await bench.restart();
      await awake.admit({ ...chat, callId: "two" });
      unwrap(await awake.settle("one", { ...used, result: '"one"' }));
      const two = await awake.settle("two", { hold: HOLD, idempotency, error: "provider_failed" });
      expect(unwrap(two)).toMatchObject({ costNano: 0, kept: { callId: "one", result: '"one"' } });
    }));

  it("of other inputs: the second is refused and costs nothing, however often it is told", () =>
    withLedger("enterprise", async (bench) => {
      await bench.admit({ ...chat, callId: "one" });
      const awake = await bench.restart();
      const other = { key: "k", inputHash: "other" };
      await awake.admit({ ...chat, callId: "two", idempotency: other });
      unwrap(await awake.settle("one", { ...used, result: '"one"' }));
      for (let i = 0; i < 2; i++) {
        const refused = await awake.settle("two", { ...used, idempotency: other, result: '"two"' });
        expect(refused).toMatchObject({ ok: false, code: "idempotency_conflict" });
      }
      expect(unwrap(await awake.ledger.audit())).toMatchObject({ settled_cost_nano: COST, open_holds: 0 });
    }));
});

describe("an answer's size", () => {
  const big = (bytes: number) => JSON.stringify("é".repeat((bytes - 2) / 2));

  it("may be the most that is kept, and a restart still has it", () =>
    withLedger("enterprise", async (bench) => {
      const result = big(KEPT_BYTES);
      await bench.admit({ ...chat, callId: "one" });
      unwrap(await bench.settle("one", { ...used, result }));
      const awake = await bench.restart();
      expect(await awake.admit({ ...chat, callId: "two" })).toMatchObject({ kind: "replay", result, costNano: COST });
    }));

  it("beyond that is charged once, and nothing else waits for it", () =>
    withLedger("enterprise", async (bench) => {
      await bench.admit({ ...chat, callId: "one" });
      expect(unwrap(await bench.settle("one", { ...used, result: big(KEPT_BYTES + 2) }))).toMatchObject({
        costNano: COST,
      });
      const awake = await bench.restart();
      const again = await awake.admit({ ...chat, callId: "two" });
      expect(again).toMatchObject({ kind: "replay", callId: "one", costNano: COST });
      expect(again.kind === "replay" && wasTooLarge(again.result)).toBe(true);
      await awake.admit({ ...chat, callId: "three", idempotency: { key: "other", inputHash: "h" } });
      unwrap(await awake.settle("three", { ...used, idempotency: { key: "other", inputHash: "h" }, result: '"a"' }));
      expect(unwrap(await awake.ledger.audit())).toMatchObject({ settled_cost_nano: 2 * COST, open_holds: 0 });
    }));
});

it("a kept answer is not told before it is written", () =>
  withLedger("enterprise", async (bench, storage) => {
    await bench.admit({ ...chat, callId: "one" });
    for (const callId of ["a", "b", "c"]) await bench.admit({ tool: "chat", scope: "chat", hold: HOLD, callId });
    const onDisk = () => storage.sql.exec("SELECT 1 FROM results").toArray().length;
    // While so many are open, what is settled waits in memory for others that end with it.
    const settled = bench.settle("one", { ...used, result: '"one"' });
    const before = onDisk();
    const replay = bench.admit({ ...chat, callId: "two" }).then((reply) => ({ reply, written: onDisk() }));
    expect({ before, ...(await replay) }).toMatchObject({ before: 0, reply: { kind: "replay" }, written: 1 });
    await settled;
  }));
