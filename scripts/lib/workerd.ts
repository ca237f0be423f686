import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import diagnostics from "node:diagnostics_channel";
import { mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { State } from "./state.ts";

/*
 * workerd outlives a parent that is killed outright, and would keep the port and the store. So it is started through a
 * link inside the state directory (its command line then says whose it is), its process id is noted, and a guard ends it
 * when this process is gone. What slips past the guard is ended by the next start.
 */

const PID_FILE = "run/workerd.pid";

/** Ends the noted process when standard input closes, after checking that its command line is that of this workerd. */
const GUARD = `
read -r _
pid=$(cat "$2" 2>/dev/null) || exit 0
command=$(tr '\\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null || ps -p "$pid" -o args= 2>/dev/null)
case "$command" in "$1 serve "*) kill -9 "$pid" ;; esac
`;

const linkOf = (state: State): string => state.path("run", "workerd");

/** What starts it, through the link that the environment names. */
const STARTER = join(import.meta.dirname, "workerd.sh");

/** Makes the link that workerd is to be started through. Returns the program that starts it. */
export function linkWorkerd(state: State, binary: string): string {
  const link = linkOf(state);
  mkdirSync(dirname(link), { recursive: true });
  rmSync(link, { force: true });
  symlinkSync(binary, link);
  process.env.WAYPOST_WORKERD = link;
  return STARTER;
}

/** Notes the process id of every workerd started from now on, and posts the guard. */
export function guardWorkerd(state: State): () => void {
  const link = linkOf(state);
  const note = (message: unknown) => {
    const child = (message as { process: ChildProcess }).process;
    child.once("spawn", () => {
      if (child.spawnfile === STARTER) state.write(PID_FILE, String(child.pid));
    });
  };
  diagnostics.subscribe("child_process", note);
  // Its own process group: a Ctrl-C meant for this process must not end the guard first.
  const guard = spawn("/bin/sh", ["-c", GUARD, "waypost-guard", link, state.path(PID_FILE)], {
    detached: true,
    stdio: ["pipe", "ignore", "ignore"],
  });
  guard.on("error", () => {}); // Without a shell the next start still ends an orphan.
  guard.unref();
  return () => {
    diagnostics.unsubscribe("child_process", note);
    state.remove(PID_FILE);
    guard.stdin.end();
  };
}

/**
 * Ends the workerd that an earlier run on this state directory left behind.
 * @returns whether there was one; its port comes free a moment later
 */
export function endOrphan(state: State): boolean {
  const pid = Number(state.read(PID_FILE) ?? 0);
  const found = pid > 0 && isWorkerd(pid, linkOf(state));
  if (found) process.kill(pid, "SIGKILL");
  state.remove(PID_FILE);
  return found;
}

/** Whether the process is a workerd that was started through this link: a process id alone may have been given anew. */
function isWorkerd(pid: number, link: string): boolean {
  return commandLine(pid).startsWith(`${link} serve `);
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return process.platform === "linux"
      ? ""
      : spawnSync("ps", ["-p", String(pid), "-o", "args="], { encoding: "utf8" }).stdout;
  }
}
