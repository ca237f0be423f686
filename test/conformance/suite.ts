import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** One run of an official suite against a server, and what its own record says of it. */

const require = createRequire(import.meta.url);
const bearer = new URL("./bearer.ts", import.meta.url).href;

export interface Suite {
  title: string;
  /** Package of the runner. */
  runner: "@modelcontextprotocol/conformance" | "conformance-0.1";
  args: string[];
  /** Scenarios that must have run and passed. */
  required: readonly string[];
}

export interface Check {
  id: string;
  status: "SUCCESS" | "FAILURE" | "WARNING" | "SKIPPED" | "INFO";
  errorMessage?: string;
}

export interface Scenario {
  name: string;
  checks: Check[];
  /** Without a failure, and without a warning, which is what the suites give for what only should be. */
  passed: boolean;
}

export interface Outcome {
  suite: Suite;
  /** Exit code of the runner. */
  code: number | null;
  scenarios: Scenario[];
  /** Required scenarios that passed, by name. */
  passed: string[];
  output: string;
}

/** Where a runner's program is. */
export const programOf = (runner: Suite["runner"]): string =>
  join(dirname(require.resolve(`${runner}/package.json`)), "dist/index.js");

/** @throws when the runner does not end within ten minutes */
export async function run(suite: Suite, server: { mcp: string; apiKey: string }): Promise<Outcome> {
  const results = mkdtempSync(join(tmpdir(), "conformance-results-"));
  try {
    const args = ["server", "--url", server.mcp, "--output-dir", results, ...suite.args];
    const child = spawn(process.execPath, ["--import", bearer, programOf(suite.runner), ...args], {
      env: { ...process.env, HOME: results, CONFORMANCE_URL: server.mcp, CONFORMANCE_TOKEN: server.apiKey },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: 600_000,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (text) => {
        output += text;
      });
    }
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    const scenarios = recorded(results);
    const good = new Set(scenarios.filter(({ passed }) => passed).map(({ name }) => name));
    return { suite, code, scenarios, passed: suite.required.filter((name) => good.has(name)), output };
  } finally {
    rmSync(results, { recursive: true, force: true });
  }
}

/** A directory a scenario, `server-<scenario>-<time>`, with its checks. */
function recorded(results: string): Scenario[] {
  return readdirSync(results, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith("checks.json"))
    .map((file) => {
      const name = dirname(file)
        .replace(/^(?:.*\/)?server-/, "")
        .replace(/-\d{4}-\d{2}-\d{2}T[\w:.-]+$/, "");
      const checks = JSON.parse(readFileSync(join(results, file), "utf8")) as Check[];
      return {
        name,
        checks,
        passed: checks.length > 0 && !checks.some(({ status }) => status === "FAILURE" || status === "WARNING"),
      };
    });
}

/** Whether everything that is required passed, by the runner's exit code and by its record. */
export const isGood = ({ suite, code, passed }: Outcome): boolean =>
  code === 0 && passed.length === suite.required.length;
