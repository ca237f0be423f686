import { spawn } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, extname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { StartFailure } from "./failure.ts";
import { writeConfig } from "./worker_config.ts";

const require = createRequire(import.meta.url);

/** No network, no questions, no log files in the home directory. */
const QUIET = {
  NO_COLOR: "1",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_LOG: "error",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_WRITE_LOGS: "false",
};

const MODULE_TYPES: Record<string, "ESModule" | "CompiledWasm" | "Text" | "Data"> = {
  ".js": "ESModule",
  ".mjs": "ESModule",
  ".wasm": "CompiledWasm",
  ".txt": "Text",
  ".html": "Text",
  ".sql": "Text",
  ".bin": "Data",
};

/**
 * Bundles the Worker with the very command that deploys it, minus the upload, into `out`, and its configuration with it.
 * @param entry another entry than the product's, for tests
 * @returns its modules, the entry first
 * @throws StartFailure with wrangler's own report when the code does not build
 */
export async function build(root: string, out: string, signal: AbortSignal, entry?: string) {
  rmSync(out, { recursive: true, force: true });
  const wrangler = join(require.resolve("wrangler/package.json"), "../bin/wrangler.js");
  const args = ["deploy", ...(entry === undefined ? [] : [entry]), "--dry-run", "--env=", "--outdir", out];
  const child = spawn(process.execPath, [wrangler, ...args], {
    cwd: root,
    signal,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...QUIET },
  });
  let report = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      report += chunk;
    });
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", resolve);
  });
  if (code !== 0) throw new StartFailure(`the Worker does not build\n${stripVTControlCharacters(report).trim()}`);
  writeConfig(root, out);
  return modulesIn(out, `${basename(entry ?? "index.ts", ".ts")}.js`);
}

/** The modules of a build, the entry first. */
export function modulesIn(out: string, main = "index.js") {
  const names = readdirSync(out, { recursive: true, encoding: "utf8" });
  return names
    .sort((a, b) => Number(b === main) - Number(a === main))
    .flatMap((name) => {
      const type = MODULE_TYPES[extname(name)];
      return type ? [{ type, path: join(out, name) }] : [];
    });
}
