import { parseArgs } from "node:util";
import { crosstalk } from "./crosstalk_run.ts";

/** `npm run prove:crosstalk -- --calls 100000 --clients 200`: nobody gets an answer that is another's, whatever the ids. */
const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "100000" },
    clients: { type: "string", default: "200" },
    seed: { type: "string" },
  },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
console.log(`seed ${seed}`);
const report = await crosstalk({
  calls: Number(values.calls),
  clients: Number(values.clients),
  seed,
  say: (line) => console.log(line),
});
for (const fault of report.faults) console.log(`FAULT ${fault}`);
const { calls, seconds, slowestMs, byKind } = report;
console.log(
  `${calls} calls of ${values.clients} clients in ${seconds.toFixed(0)} s (${Math.round(calls / seconds)}/s), the slowest ${(slowestMs / 1_000).toFixed(1)} s`,
  byKind,
);
console.log(report.faults.length === 0 ? `proved: ${calls} calls` : "FAILED");
process.exit(report.faults.length === 0 ? 0 : 1);
