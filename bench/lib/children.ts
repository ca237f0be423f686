import { type ChildProcess, spawn } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";

/** A server in a process of its own. */
export interface Child {
  url: string;
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
  return { ...(JSON.parse(line) as { url: string }), stop: () => child.kill() };
}

/** Portkey's gateway as its package starts it, allowed to speak to this machine. */
export async function startPortkey(): Promise<Child> {
  const port = await freePort();
  const script = join(root, "node_modules/@portkey-ai/gateway/build/start-server.js");
  const child = run([script, `--port=${port}`, "--headless"], {
    NODE_ENV: "production",
    TRUSTED_CUSTOM_HOSTS: "localhost,127.0.0.1",
  });
  const url = `http://127.0.0.1:${port}`;
  for (let i = 0; i < 200; i++) {
    if (child.exitCode !== null) throw new Error(`the gateway ended with code ${child.exitCode}`);
    if (await fetch(url).catch(() => null)) return { url, stop: () => child.kill() };
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  child.kill();
  throw new Error("the gateway does not listen");
}

function run(args: string[], env: Record<string, string>, stdout: "pipe" | "ignore" = "ignore"): ChildProcess {
  const child = spawn(process.execPath, args, {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", stdout, "ignore"],
  });
  process.once("exit", () => child.kill());
  return child;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
