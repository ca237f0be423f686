import { spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

interface Proof {
  /** Name of the npm script. */
  script: string;
  /** The test file to run. */
  file: string;
  /** Configuration of vitest; absent: that of the tests beside the code. */
  config?: string;
  /** Option that says how much: `--<option> N`. The file reads it from the variable of the same name. */
  option: string;
  fallback: number;
}

/** Runs one test file with a size, and a seed, from the command line. Ends the process with the outcome. */
export function prove({ script, file, config, option, fallback }: Proof): void {
  const text = (value?: string) => ({ type: "string" as const, ...(value ? { default: value } : {}) });
  const { values } = parseArgs({ options: { [option]: text(String(fallback)), seed: text() } });
  const size = Number(values[option]);
  if (!Number.isSafeInteger(size) || size < 1) {
    process.stderr.write(`${script}: --${option} takes a whole number above 0\n`);
    process.exit(1);
  }
  const root = resolve(import.meta.dirname, "..");
  const vitest = join(root, "node_modules/vitest/vitest.mjs");
  const run = spawn(process.execPath, [vitest, "run", ...(config ? ["--config", config] : []), file], {
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
