import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";

const rounds = 15;
const spacing = 400;

/**
 * A process that tries to open a state directory at the start of every round and keeps it until the round's end. Prints when
 * it had which: on a busy machine a round may begin late, when the other is through with it.
 */
const contender = `
  import { openState } from ${JSON.stringify(new URL("../../scripts/lib/state.ts", import.meta.url).href)};
  const [dir, start] = process.argv.slice(1);
  const now = () => performance.timeOrigin + performance.now();
  const until = (time) => { while (now() < time); };
  const held = [];
  for (let round = 0; round < ${rounds}; round++) {
    const begin = Number(start) + round * ${spacing};
    until(begin);
    let state;
    try { state = openState(dir + "/" + round, 1); } catch {}
    const from = now();
    until(begin + ${spacing - 20});
    const to = now();
    state?.release();
    if (state) held.push({ round, from, to });
  }
  process.stdout.write(JSON.stringify(held));
`;

test(`of two processes that open a state directory at the same moment, one has it, ${rounds} times`, async () => {
  const dir = mkdtempSync(join(tmpdir(), "waypost-state-"));
  const start = String(Date.now() + 2000);
  const run = async () => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", contender, dir, start], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    return JSON.parse(await text(child.stdout)) as { round: number; from: number; to: number }[];
  };
  const [one, other] = await Promise.all([run(), run()]);
  rmSync(dir, { recursive: true });
  for (let round = 0; round < rounds; round++) {
    const [first, second] = [...one, ...other].filter((each) => each.round === round).sort((a, b) => a.from - b.from);
    expect(first).toBeDefined();
    if (first && second) expect(second.from).toBeGreaterThanOrEqual(first.to);
  }
}, 60_000);
