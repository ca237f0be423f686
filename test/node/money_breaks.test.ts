import { expect, test } from "vitest";
import { BREAKS } from "../simulator/breaks.ts";
import { lengthOf, simulate } from "../simulator/run.ts";

/** Histories within which a break must show; each shows far sooner. */
const SEEDS = 3_000;

test.each(BREAKS)("the simulation notices: %s", { timeout: 120_000 }, async (broken) => {
  const first = Math.floor(Math.random() * 1_000_000_000);
  for (let seed = first; seed < first + SEEDS; seed++) {
    const { violation } = await simulate(seed, lengthOf(seed, 200), undefined, broken);
    if (!violation) continue;
    console.log(`${broken}: seed ${seed}, ${seed - first + 1} histories, ${violation.slice(0, 120)}`);
    return;
  }
  expect.unreachable(`${SEEDS} histories from seed ${first} on, and nobody noticed`);
});
