import { dirname, join } from "node:path";
import { buildSync } from "esbuild";
import type { modulesIn } from "../../scripts/lib/build.ts";
import { FOR_WORKERD } from "../../scripts/lib/bundle.ts";
import { convertV4MiniflareOptions, Miniflare, NETWORK, NoOpLog, RUNTIME_ENV } from "../../scripts/lib/miniflare.ts";

export interface Served {
  url: string;
  stop: () => Promise<void>;
}

/** Bundles a worker of `bench/workers`. */
export function bundle(name: string): string {
  return buildSync({
    ...FOR_WORKERD,
    entryPoints: [join(import.meta.dirname, "../workers", `${name}.ts`)],
    write: false,
  }).outputFiles[0]?.text as string;
}

/** Serves a Worker straight from workerd, as the product is served; its objects, if any, in memory unless there is a directory. */
export async function serve(
  worker: string | ReturnType<typeof modulesIn>,
  durableObjects: Record<string, { className: string; useSQLite: boolean }> = {},
  directory?: string,
): Promise<Served> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      log: new NoOpLog(),
      handleStructuredLogs: () => {},
      cf: false,
      telemetry: { enabled: false },
      unsafeRuntimeEnv: RUNTIME_ENV,
      ...(directory === undefined ? {} : { durableObjectsPersist: directory }),
      workers: [
        {
          name: "bench",
          ...(typeof worker === "string"
            ? { modules: true, script: worker }
            : { modules: worker, modulesRoot: dirname(worker[0]?.path ?? "") }),
          compatibilityDate: "2026-10-27",
          compatibilityFlags: ["nodejs_compat", "enable_request_signal", "new_module_registry"],
          durableObjects,
          serviceBindings: { NETWORK },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  return { url: (await miniflare.unsafeGetDirectURL()).origin, stop: () => miniflare.dispose() };
}
