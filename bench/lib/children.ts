import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";

/** A server in a process of its own. */
export interface Child {
  url: string;
  pid: number;
  stop: () => void;
}

const root = join(import.meta.dirname, "../..");

/** The quick stand-in for a provider. */
export const startUpstream = (): Promise<Child> => startScript("upstream.ts");

/** The stand-in that streams chunk by chunk. */
export const startStreamUpstream = (): Promise<Child> => startScript("stream_upstream.ts");

async function startScript(name: string): Promise<Child> {
  const child = run([join(import.meta.dirname, name)], {}, "pipe");
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout?.once("data", (bytes: Buffer) => resolve(String(bytes)));
    child.once("exit", (code) => reject(new Error(`the stand-in ended with code ${code}`)));
  });
  return { ...(JSON.parse(line) as { url: string }), pid: child.pid as number, stop: () => child.kill() };
}

/** A process of ours that ends with this one. */
export function run(
  args: string[],
  env: Record<string, string>,
  stdout: "pipe" | "ignore" = "ignore",
  node = process.execPath,
): ChildProcess {
  const child = spawn(node, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", stdout, "ignore"],
  });
  process.once("exit", () => child.kill());
  return child;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
