import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Running } from "../../scripts/lib/greeting.ts";
import { SETTINGS } from "../../scripts/lib/settings.ts";
import { lastingPort } from "./lasting_port.ts";

const root = resolve(import.meta.dirname, "../..");
const script = join(root, "scripts/start.ts");

export interface WaypostOptions {
  /** Settings of the Worker, e.g. `{ PLANS: "…" }`. Those of the developer's own environment are left out. */
  vars?: Partial<Record<(typeof SETTINGS)[number], string>>;
  /** Default: a free one that is still free after a restart. 0: any the system gives. */
  port?: number;
  /** Default: a temporary directory that `stop` removes. */
  state?: string;
  /** File with settings in `.dev.vars` format. Default: none, whatever the developer has in .dev.vars. */
  settingsFile?: string;
  /** Further environment variables of the process. */
  env?: Record<string, string>;
}

/** A running Waypost, started the way `npm start` starts it. */
export interface Waypost extends Running {
  /** State directory. */
  readonly state: string;
  /** One-time link to take the owner account in possession; null once somebody has. */
  claim: string | null;
  /** Ends it with SIGTERM and removes a temporary state directory. Resolves to the exit code. */
  stop(): Promise<number | null>;
  /** Ends every process of it with SIGKILL; the state stays. */
  kill(): Promise<void>;
  /** Ends it if it runs, then starts it again with the same state, settings and port. */
  restart(): Promise<void>;
}

/** Starts Waypost and waits until it serves. */
export async function startWaypost(options: WaypostOptions = {}): Promise<Waypost> {
  const temporary = options.state === undefined;
  const state = options.state ?? mkdtempSync(join(tmpdir(), "waypost-"));
  const removeState = () => temporary && rmSync(state, { recursive: true, force: true, maxRetries: 5 });
  const begin = async (port: number) => {
    const child = spawnStart(["--json", "--port", String(port), "--state", state], options);
    const running = await firstLine(child);
    const claim = readFileSync(join(state, "claim-link"), "utf8").trim();
    return { child, running: { ...running, claim: claim === "" ? null : claim } };
  };

  let current = await begin(options.port ?? (await lastingPort())).catch((error) => {
    removeState();
    throw error;
  });
  const end = async (signal: "SIGTERM" | "SIGKILL") => {
    const { child } = current;
    const ended = exit(child);
    if (child.exitCode === null && child.signalCode === null) signalTo(child, signal);
    return ended;
  };
  const waypost: Waypost = {
    ...current.running,
    state,
    stop: async () => {
      const code = await end("SIGTERM");
      removeState();
      return code;
    },
    kill: async () => {
      await end("SIGKILL");
    },
    restart: async () => {
      await end("SIGTERM");
      current = await begin(Number(new URL(waypost.url).port));
      Object.assign(waypost, current.running);
    },
  };
  return waypost;
}

/** Runs the start script to its end, for starts that are expected to fail. */
export async function runStart(args: string[], options: WaypostOptions = {}) {
  const child = spawnStart(args, options);
  const output = { stdout: "", stderr: "" };
  child.stdout?.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const code = await exit(child);
  return { code, ...output };
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) signalTo(child, "SIGKILL");
});

function spawnStart(args: string[], { vars, env, settingsFile }: WaypostOptions): ChildProcess {
  const environment: NodeJS.ProcessEnv = { ...process.env };
  for (const name of SETTINGS) delete environment[name];
  // First, so that a `--vars` among the arguments wins.
  const settings = ["--vars", settingsFile ?? "/dev/null"];
  const child = spawn(process.execPath, [script, ...settings, ...args], {
    cwd: root,
    detached: true, // A process group of its own, so that all of it can be killed.
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...environment, ...vars, ...env },
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

function signalTo(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  // SIGTERM goes to the script alone, which ends the rest; SIGKILL gives it no chance to.
  process.kill(signal === "SIGKILL" ? -child.pid : child.pid, signal);
}

function exit(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((resolve) => child.once("close", resolve));
}

/** The first line on standard output, parsed; what came on standard error when it ends before that. */
function firstLine(child: ChildProcess): Promise<Running> {
  return new Promise((resolve, reject) => {
    let out = "";
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors = `${errors}${chunk}`.slice(-10_000);
    });
    child.stdout?.on("data", (chunk) => {
      if (out.includes("\n")) return;
      out += chunk;
      const [line, rest] = out.split("\n", 2);
      if (rest !== undefined) resolve(JSON.parse(line ?? ""));
    });
    child.once("close", (code) => reject(new Error(`Waypost ended with code ${code} before it served: ${errors}`)));
  });
}
