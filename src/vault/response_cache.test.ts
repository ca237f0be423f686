import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { openVault } from "../../test/worker/vault.ts";
import { unwrap } from "../errors.ts";
import { cachedAnswer, keepAnswer, purgeAnswers } from "./response_cache.ts";

const answer = (text: string) => ({ text, usage: { input: 1, output: 2 }, estimated: false });
const HOUR = 3_600_000;

/** Runs in the vault's own storage with a clock of the test's. */
const within = <T>(run: (storage: DurableObjectStorage) => T): Promise<T> =>
  runInDurableObject(openVault().stub, (_, { storage }) => run(storage));
const bytesIn = (storage: DurableObjectStorage) =>
  storage.sql
    .exec<{ told: number; summed: number; count: number }>(
      "SELECT (SELECT bytes FROM response_cache_size) AS told, COALESCE(SUM(bytes), 0) AS summed, COUNT(*) AS count FROM response_cache",
    )
    .one();

describe("kept answers", () => {
  it("are given back until they expire, the newest one under a key", () =>
    within((storage) => {
      keepAnswer(storage, { key: "k", answer: answer("old"), ttlMs: HOUR }, 1_000);
      keepAnswer(storage, { key: "k", answer: answer("new"), ttlMs: HOUR }, 2_000);
      expect(unwrap(cachedAnswer(storage, "k", 2_000 + HOUR - 1))).toEqual(answer("new"));
      expect(unwrap(cachedAnswer(storage, "k", 2_000 + HOUR))).toBeNull();
      expect(unwrap(cachedAnswer(storage, "other", 2_000))).toBeNull();
      expect(bytesIn(storage)).toMatchObject({ count: 1 });
    }));

  it("take at most 16 MiB, those used longest ago going first", () =>
    within((storage) => {
      const big = "x".repeat(400_000);
      for (let i = 0; i < 41; i++) {
        keepAnswer(storage, { key: `k${i}`, answer: answer(big), ttlMs: HOUR }, 0);
        cachedAnswer(storage, "k0", 0);
      }
      for (let i = 41; i < 50; i++) keepAnswer(storage, { key: `k${i}`, answer: answer(big), ttlMs: HOUR }, 0);
      const { told, summed, count } = bytesIn(storage);
      expect(told).toBe(summed);
      expect(told).toBeLessThanOrEqual(16 * 1024 * 1024);
      expect(count).toBe(41);
      expect(unwrap(cachedAnswer(storage, "k0", 0))).not.toBeNull();
      expect(unwrap(cachedAnswer(storage, "k1", 0))).toBeNull();
      expect(unwrap(cachedAnswer(storage, "k49", 0))).not.toBeNull();
    }));

  it("are not kept when one alone is too large, counted in bytes", () =>
    within((storage) => {
      expect(unwrap(keepAnswer(storage, { key: "k", answer: answer("é".repeat(300_000)), ttlMs: HOUR }, 0))).toBe(
        false,
      );
      expect(unwrap(keepAnswer(storage, { key: "k", answer: answer("e".repeat(300_000)), ttlMs: HOUR }, 0))).toBe(true);
    }));

  it("are purged in slices, and what is left says when to come again", () =>
    within((storage) => {
      for (let i = 0; i < 450; i++) keepAnswer(storage, { key: `k${i}`, answer: answer("a"), ttlMs: 10 }, 0);
      keepAnswer(storage, { key: "late", answer: answer("a"), ttlMs: HOUR }, 0);
      const counts: unknown[] = [];
      for (let next: number | null = 100; next !== null && next <= 100; ) {
        next = purgeAnswers(storage, 100);
        counts.push([bytesIn(storage).count, next]);
      }
      expect(counts).toEqual([
        [251, 100],
        [51, 100],
        [1, HOUR],
      ]);
      expect(purgeAnswers(storage, HOUR)).toBeNull();
      expect(bytesIn(storage)).toEqual({ told: 0, summed: 0, count: 0 });
    }));

  it("are purged by the vault's alarm, which does not come for nothing", async () => {
    const { stub, vault } = openVault();
    expect(await runDurableObjectAlarm(stub)).toBe(false);
    unwrap(await vault.keepAnswer({ key: "k", answer: answer("a"), ttlMs: 20 }));
    await new Promise((resolve) => setTimeout(resolve, 60));
    await runDurableObjectAlarm(stub);
    await runInDurableObject(stub, async (_, { storage }) => {
      expect(bytesIn(storage).count).toBe(0);
      expect(await storage.getAlarm()).toBeNull();
    });
  });
});
