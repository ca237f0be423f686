import { parseArgs } from "node:util";
import { proveKill } from "./kill_run.ts";

/** `npm run prove:kill -- --rounds 20 [--seed N]`: the kill proof at length, to the end of the last hold. */

const { values } = parseArgs({ options: { rounds: { type: "string", default: "20" }, seed: { type: "string" } } });
const rounds = Number(values.rounds);
const seed = Number(values.seed ?? Math.floor(Math.random() * 1_000_000));
if (!Number.isSafeInteger(rounds) || rounds < 1 || !Number.isSafeInteger(seed)) {
  process.stderr.write("prove:kill: --rounds and --seed take whole numbers\n");
  process.exit(1);
}
console.log(`seed ${seed}`);
try {
  await proveKill({ rounds, seed, untilHoldsExpire: true, print: (line) => console.log(line) });
  console.log("proved");
} catch (error) {
  console.log(`FAILED with seed ${seed}: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
