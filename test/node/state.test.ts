import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const rounds = 15;
const spacing = 400;

/** A process that tries to open a state directory at the start of every round and keeps it until the round's end. */
const contender = `
  import { openState } from ${JSON.stringify(new URL("../../scripts/lib/state.ts", import.meta.url).href)};
  const [dir, start] = process.argv.slice(1);
  const until = (time) => { while (performance.timeOrigin + performance.now() < time); };
  let taken = "";
  for (let round = 0; round < ${rounds}; round++) {
    const begin = Number(start) + round * ${spacing};
    until(begin);
    let state;
    try { state = openState(dir + "/" + round, 1); taken += "1"; } catch { taken += "0"; }
    until(begin + ${spacing - 20});
    state?.release();
  }
  process.stdout.write(taken);
`;

test(`of two processes that open a state directory at the same moment, one has it, ${rounds} times`, async () => {
  const dir = mkdtempSync(join(tmpdir(), "waypost-state-"));
  const start = String(Date.now() + 2000);
  const run = async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", contender, dir, start], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    return text(child.stdout);
  };
  const [one, other] = await Promise.all([run(), run()]);
  rmSync(dir, { recursive: true });
  const owners = Array.from({ length: rounds }, (_, round) => Number(one[round]) + Number(other[round]));
  expect(owners).toEqual(Array(rounds).fill(1));
}, 60_000);
