import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { type Child, freePort, run } from "./children.ts";

const SCRIPT = join(import.meta.dirname, "../../node_modules/@portkey-ai/gateway/build/start-server.js");

/** A Node to run the gateway with. */
export interface Runtime {
  bin: string;
  /** E.g. `Node 20`. */
  name: string;
}

const OWN: Runtime = { bin: process.execPath, name: `Node ${process.versions.node.split(".")[0]}` };

/** What the gateway's own container image runs it with (`FROM node:20-alpine`), if this machine has one, and the Node of this process. */
export function runtimes(): Runtime[] {
  const found = (process.env.PATH ?? "").split(":").flatMap((directory) => {
    if (directory.includes("node_modules")) return [];
    const bin = join(directory, "node");
    const { stdout } = spawnSync(bin, ["--version"], { encoding: "utf8" });
    return stdout?.startsWith("v20.") ? [{ bin, name: "Node 20" }] : [];
  });
  return [...found.slice(0, 1), OWN];
}

/**
 * Portkey's gateway as its package starts it, allowed to speak to this machine. `streams`: with what it needs to stream at all,
 * which costs it a little.
 */
export async function startPortkey({ streams = false, node = OWN } = {}): Promise<Child> {
  const port = await freePort();
  const preload = streams ? ["--import", join(import.meta.dirname, "mutable_headers.ts")] : [];
  const env = { NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "localhost,127.0.0.1" };
  const child = run([...preload, SCRIPT, `--port=${port}`, "--headless"], env, "ignore", node.bin);
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with code ${child.exitCode}`);
    if (await fetch(url).catch(() => null)) return { url, pid: child.pid as number, stop: () => child.kill() };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill();
  throw new Error("the gateway does not listen");
}
