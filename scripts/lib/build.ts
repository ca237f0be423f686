import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { StartFailure } from "./failure.ts";
import { writeConfig } from "./worker_config.ts";

const ENTRY = "src/index.ts";

/**
 * Bundles the Worker as a deploy does into `out`, and its configuration with it.
 * @param entry another entry than the product's, for tests
 * @returns its modules, the entry first
 * @throws StartFailure with the bundler's own report when the code does not build
 */
export async function build(root: string, out: string, signal: AbortSignal, entry = ENTRY) {
  // In a process of its own: the bundler leaves one behind that would stay as long as this.
  const child = spawn(process.execPath, [join(import.meta.dirname, "../bundle.ts"), out, entry], {
    cwd: root,
    signal,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let report = "";
  child.stderr.on("data", (chunk) => {
    report += chunk;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new StartFailure(`the Worker does not build\n${stripVTControlCharacters(report).trim()}`);
  writeConfig(root, out);
  return modulesIn(out, `${basename(entry, ".ts")}.mjs`);
}

/** The modules of a build, the entry first. */
export function modulesIn(out: string, main = "index.mjs") {
  const names = readdirSync(out).filter((name) => name.endsWith(".mjs"));
  names.sort((a, b) => Number(b === main) - Number(a === main));
  return names.map((name) => ({ type: "ESModule" as const, path: join(out, name) }));
}
