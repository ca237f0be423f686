import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

/**
 * Runs one test file inside workerd, against the real stores, with a size from the command line: `--<option> N`. The file
 * reads the size from the variable of the same name. Ends the process with the outcome.
 */
export function workerProof(script: string, file: string, option: string, fallback: number): void {
  const { values } = parseArgs({
    options: { [option]: { type: "string", default: String(fallback) }, seed: { type: "string" } },
  });
  const size = Number(values[option]);
  if (!Number.isSafeInteger(size) || size < 1) {
    process.stderr.write(`${script}: --${option} takes a whole number above 0\n`);
    process.exit(1);
  }
  const root = resolve(import.meta.dirname, "..");
  const run = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", file], {
    cwd: root,
    stdio: "inherit",
    env: {
      ...process.env,
      [option.toUpperCase()]: String(size),
      ...(values.seed ? { SEED: String(values.seed) } : {}),
    },
  });
  run.once("exit", (code) => {
    console.log(code === 0 ? `proved: ${size} ${option}` : "FAILED");
    process.exitCode = code ?? 1;
  });
}
