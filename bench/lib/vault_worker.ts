import { createRequire } from "node:module";
import { join } from "node:path";
import { buildSync } from "esbuild";

const ofWrangler = createRequire(createRequire(import.meta.url).resolve("wrangler/package.json"));
const { Miniflare, NoOpLog, convertV4MiniflareOptions } = ofWrangler("miniflare") as typeof import("miniflare");

/** The retrieval bench worker in workerd, its vaults in memory. */
export async function startVaultWorker(): Promise<{ url: string; stop: () => Promise<void> }> {
  const script = buildSync({
    entryPoints: [join(import.meta.dirname, "../workers/retrieval.ts")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "import"],
    external: ["node:*", "cloudflare:*"],
  }).outputFiles[0]?.text as string;
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new NoOpLog(),
      cf: false,
      telemetry: { enabled: false },
      workers: [
        {
          name: "retrieval",
          modules: true,
          script,
          compatibilityDate: "2026-10-27",
          compatibilityFlags: ["nodejs_compat"],
          durableObjects: { VAULT: { className: "Vault", useSQLite: true } },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return { url: (await miniflare.unsafeGetDirectURL()).origin, stop: () => miniflare.dispose() };
}
