import { parseArgs } from "node:util";
import { fuzz } from "../fuzz/run.ts";

/** `npm run prove:fuzz -- --inputs 100000 --seed 7`: damaged JSON-RPC and HTTP against a started Waypost. `--only N` sends one. */
const { values } = parseArgs({
  options: { inputs: { type: "string", default: "100000" }, seed: { type: "string" }, only: { type: "string" } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
console.log(`seed ${seed}`);
const report = await fuzz({
  inputs: Number(values.inputs),
  seed,
  ...(values.only === undefined ? {} : { only: Number(values.only) }),
  say: (line) => console.log(line),
});
for (const fault of report.faults) console.log(`\nFAULT ${fault}`);
const { inputs, seconds, statuses, codes } = report;
console.log(
  `\n${inputs} inputs of seed ${seed} in ${seconds.toFixed(0)} s (${Math.round(inputs / seconds)}/s)`,
  statuses,
  codes,
);
console.log(report.faults.length === 0 ? `proved: ${inputs} inputs` : "FAILED");
process.exit(report.faults.length === 0 ? 0 : 1);
