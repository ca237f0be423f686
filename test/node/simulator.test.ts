import { expect, test } from "vitest";
import { simulate } from "../simulator/run.ts";

const SEEDS = 30;

test("ledger, outbox and D1 agree through crashes, lost answers, repeats and clock jumps", {
  timeout: 60_000,
}, async () => {
  const first = Math.floor(Math.random() * 1_000_000_000);
  let steps = 0;
  for (let seed = first; seed < first + SEEDS; seed++) {
    const { violation, steps: done } = await simulate(seed, 150);
    expect(violation, `npm run prove:ledger -- --seed ${seed} --steps 150`).toBeUndefined();
    steps += done;
  }
  expect(steps).toBe(SEEDS * 150);
});

test("the same seed gives the same history", async () => {
  const [one, other] = [await simulate(7, 150), await simulate(7, 150)];
  expect(one.trace).toEqual(other.trace);
  expect(one.trace.length).toBeGreaterThanOrEqual(150);
});
