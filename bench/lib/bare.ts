import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { buildSync } from "esbuild";

const ofWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"));
const { Miniflare, NoOpLog, convertV4MiniflareOptions } = ofWrangler("miniflare") as typeof import("miniflare");

export interface Bare {
  url: string;
  stop: () => Promise<void>;
}

/** Serves a worker of `bench/workers` straight from workerd, as the product is served. */
export async function serveBare(name: string): Promise<Bare> {
  const script = buildSync({
    entryPoints: [join(import.meta.dirname, "../workers", `${name}.ts`)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
  }).outputFiles[0]?.text as string;
  return serveScript(script);
}

/** Serves the bundle of a built Worker without its bindings: enough to start it. */
export const serveBundle = (path: string): Promise<Bare> => serveScript(readFileSync(path, "utf8"));

async function serveScript(script: string): Promise<Bare> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new NoOpLog(),
      cf: false,
      telemetry: { enabled: false },
      workers: [
        {
          name: "bare",
          modules: true,
          script,
          compatibilityDate: "2026-10-27",
          compatibilityFlags: ["nodejs_compat", "enable_request_signal"],
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return { url: (await miniflare.unsafeGetDirectURL()).origin, stop: () => miniflare.dispose() };
}

/** CPU seconds, user and system, that this process's workerd children have used. */
export function workerdCpuSeconds(): number {
  const ticks = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").trim().split(/\s+/).filter(Boolean);
  let sum = 0;
  for (const pid of children) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    if (!stat.includes("(workerd)")) continue;
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    sum += (Number(fields[11]) + Number(fields[12])) / ticks;
  }
  return sum;
}
