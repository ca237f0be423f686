import { expect, test } from "vitest";
import { fuzz } from "../fuzz/run.ts";

/**
 * Damaged JSON-RPC and HTTP over raw sockets: every answer is one of the catalogue's, ends, tells nothing of the inside, and
 * what was refused has changed and cost nothing. `npm run prove:fuzz` does it longer; the seed repeats a run.
 */

const INPUTS = Number(process.env.INPUTS ?? 2_400);
/** The same every time: a check that anybody can repeat. The proof draws its own. */
const SEED = Number(process.env.SEED ?? 31);

test(`${INPUTS} damaged requests of seed ${SEED} are answered as they must be`, { timeout: 280_000 }, async () => {
  const { faults, inputs, statuses } = await fuzz({ inputs: INPUTS, seed: SEED });
  expect(faults.join("\n\n")).toBe("");
  expect(inputs).toBe(INPUTS);
  // Inputs that are all refused, or all accepted, would prove little.
  expect(statuses[200]).toBeGreaterThan(INPUTS / 20);
  expect(statuses[400]).toBeGreaterThan(INPUTS / 5);
});
