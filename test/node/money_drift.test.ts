import { expect, it } from "vitest";
import { randomFrom } from "../random.ts";
import { runBooks } from "./money_drift.ts";

/** Entries to post; `npm run prove:money -- --entries 1000000` for the whole proof. */
const ENTRIES = Number(process.env.ENTRIES || 20_000);
const SEED = Number(process.env.SEED || Date.now() % 1_000_000);

it(`${ENTRIES} random entries drift by nothing (seed ${SEED})`, { timeout: 600_000 }, () => {
  const { entries, calls, cost, paid, credited, ...drift } = runBooks(randomFrom(SEED), ENTRIES);
  console.log(
    `seed ${SEED}: ${entries} entries, ${calls} calls worth ${cost} nano-USD, ${paid} of them from ${credited} of credit`,
  );
  expect(entries).toBeGreaterThanOrEqual(ENTRIES);
  expect(calls).toBeGreaterThan(ENTRIES / 5);
  expect(paid).toBeGreaterThan(cost / 4n);
  expect(paid).toBeLessThan(cost);
  expect(drift).toEqual({
    balance: 0n,
    settledCost: 0n,
    entriesCredit: 0n,
    entriesCost: 0n,
    entriesHold: 0n,
    reserved: 0n,
    wrong: 0,
  });
});
