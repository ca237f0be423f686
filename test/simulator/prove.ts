import { parseArgs } from "node:util";
import { BREAKS, type Break } from "./breaks.ts";
import { lengthOf, type Outcome, simulate } from "./run.ts";

/**
 * `npm run prove:ledger -- --seeds 10000 [--seed N] [--steps M]`: so many simulated histories, each from a seed of its own.
 * Prints the seed of one that goes wrong and the fewest steps of it that do. With `--break NAME` something is broken on
 * purpose, and it must go wrong.
 */

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    seed: { type: "string" },
    steps: { type: "string", default: "200" },
    break: { type: "string" },
  },
});
const whole = (name: string, text: string): number => {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  process.stderr.write(`prove:ledger: --${name} takes a whole number\n`);
  process.exit(1);
};
const seeds = values.seed === undefined ? whole("seeds", values.seeds) : 1;
const first = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : whole("seed", values.seed);
const steps = whole("steps", values.steps);
const broken = BREAKS.find((name) => name === values.break) as Break | undefined;
if (values.break !== undefined && !broken) {
  process.stderr.write(`prove:ledger: --break takes one of: ${BREAKS.join(", ")}\n`);
  process.exit(1);
}

/** Leaves out every step that the violation does without. */
async function fewest(seed: number, outcome: Outcome): Promise<Outcome> {
  const kind = (text = "") => text.replace(/[\d,.]+/g, "N").slice(0, 60);
  const skip = new Set<number>();
  let least = outcome;
  for (let size = Math.ceil(outcome.steps / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < outcome.steps; from += size) {
      const more = new Set(skip);
      for (let step = from; step < from + size; step++) more.add(step);
      if (more.size === skip.size) continue;
      const again = await simulate(seed, outcome.steps, more, broken);
      if (kind(again.violation) !== kind(outcome.violation)) continue;
      least = again;
      for (const step of more) skip.add(step);
    }
  }
  return least;
}

const started = performance.now();
let done = 0;
console.log(`seeds ${first} to ${first + seeds - 1}, up to ${steps} steps each`);
for (let seed = first; seed < first + seeds; seed++) {
  const outcome = await simulate(seed, lengthOf(seed, steps), undefined, broken);
  done += outcome.steps;
  if (!outcome.violation) continue;
  console.log(`FAILED with seed ${seed} after ${outcome.steps} steps: ${outcome.violation}`);
  const least = await fewest(seed, outcome);
  console.log(
    `${least.violation}\n${least.trace.join("\n")}\nagain: npm run prove:ledger -- --seed ${seed} --steps ${steps}`,
  );
  process.exitCode = 1;
  break;
}
const seconds = (performance.now() - started) / 1_000;
if (process.exitCode !== 1) console.log(`proved: ${seeds} seeds, ${done} steps in ${seconds.toFixed(1)} s`);
