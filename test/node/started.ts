import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { Waypost } from "./harness.ts";

/** What tests of the start script look at: a started Waypost's calls, files and processes. */

export const call = (server: Waypost, path: string, body?: object) =>
  fetch(server.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${server.apiKey}`, "content-type": "application/json" },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

export const workerdPid = (server: Waypost) => Number(readFileSync(join(server.state, "run/workerd.pid"), "utf8"));

export const logOf = ({ state }: Waypost) => readFileSync(join(state, "waypost.log"), { encoding: "utf8", flag: "a+" });

/** Processes that were started from this state directory. */
export function processesOf(state: string): string[] {
  const all = execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8", env: { ...process.env, COLUMNS: "500" } });
  return all.split("\n").filter((line) => line.startsWith(join(state, "run/workerd")));
}

/** The process that watches over workerd on this state directory. */
export function guardOf(state: string): number {
  const all = execFileSync("ps", ["-A", "-o", "pid=,args="], { encoding: "utf8" });
  const line = all.split("\n").find((entry) => entry.includes(`waypost-guard ${state}/`));
  return Number(line?.trim().split(" ", 1)[0]);
}

/** Waits up to a minute: these are real processes, on machines that may be busy. */
export async function eventually(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 1200 && !condition(); i++) await new Promise((done) => setTimeout(done, 50));
  expect(condition()).toBe(true);
}
