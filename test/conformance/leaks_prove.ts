import { parseArgs } from "node:util";
import { giveUp, WAYS } from "./leaks.ts";
import { startConformance } from "./world.ts";

/** `npm run prove:leaks -- --calls 1000`: no stream stays open when its call was given up. */

const { values } = parseArgs({ options: { calls: { type: "string", default: "1000" } } });
const calls = Number(values.calls);

/** A plan that never refuses. */
export const PLANS = JSON.stringify({
  enterprise: { minute: 100_000_000, hour: 1_000_000_000, day: 10_000_000_000, monthlyTokens: null },
});

const world = await startConformance({ PLANS });
try {
  for (const way of WAYS) {
    const { given, most, left } = await giveUp(world, way, calls);
    const good = given === calls && most > 0 && left.door === 0 && left.session === 0;
    if (!good) process.exitCode = 1;
    const counts = `${given}/${calls} given up; at most ${most} open; then ${left.door} at the door, ${left.session} in the session`;
    console.log(`${good ? "ok  " : "MISS"}  ${way.padEnd(20)} ${counts}`);
  }
} finally {
  await world.stop();
}
