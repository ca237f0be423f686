import { parseArgs } from "node:util";
import { dropInWorld } from "./drop_in_world.ts";
import { killStreams } from "./stream_kill_run.ts";

/** Kills the clients of many streams and compares every bill with the provider's log: `--streams 500 --seed 1`. */
const { values } = parseArgs({
  options: { streams: { type: "string", default: "500" }, seed: { type: "string", default: "1" } },
});
const world = await dropInWorld();
try {
  const { streams, exact, estimated, never, faults } = await killStreams(
    world,
    Number(values.streams),
    Number(values.seed),
  );
  console.log(
    `${streams} streams killed: ${exact} billed by the provider's report, ${estimated} as counted and marked so,`,
  );
  console.log(`${never} ended before they reached the provider. Faults: ${faults.length}`);
  for (const fault of faults) console.log(`  ${fault}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
} finally {
  await world.stop();
}
