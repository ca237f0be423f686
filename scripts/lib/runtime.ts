import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare as MiniflareInstance, V4MiniflareOptions } from "miniflare";
import { STOP } from "../../src/gate/under_way.ts";
import { build } from "./build.ts";
import { builtModules } from "./build_cache.ts";
import { firstLine, portInUse, StartFailure } from "./failure.ts";
import type { LogFile } from "./log.ts";
import { applyMigrations } from "./migrations.ts";
import { convertV4MiniflareOptions, Miniflare, NETWORK, NoOpLog, ofWrangler, RUNTIME_ENV } from "./miniflare.ts";
import type { State } from "./state.ts";
import { readConfig, type WorkerConfig } from "./worker_config.ts";
import { guardWorkerd, linkWorkerd } from "./workerd.ts";

const HOST = "127.0.0.1";

/** The Worker needs less to ready itself for its end; one that does not answer is ended all the same. */
const STOP_MS = 8_000;

export interface Runtime {
  /** Runs the Worker's cron handler once. */
  runCron(): Promise<void>;
  /**
   * Ends workerd, once the Worker has ended what is under way and written what it has in memory; at once when `hurry` is
   * aborted.
   */
  stop(hurry?: AbortSignal): Promise<void>;
}

export interface RuntimeOptions {
  root: string;
  state: State;
  port: number;
  /** Settings and secrets, on top of the `[vars]` of wrangler.toml. */
  bindings: Record<string, string>;
  log: LogFile;
  signal: AbortSignal;
  /** Another entry than the product's, for tests. */
  entry?: string;
}

/**
 * Runs the Worker in workerd, with its stores in the state directory and the D1 migrations applied. Requests go
 * straight to workerd; this process takes no part in them.
 * @throws StartFailure when the port was taken meanwhile, or the Worker does not build
 */
export async function serve(options: RuntimeOptions): Promise<Runtime> {
  const { root, state, log } = options;
  const binary = process.env.MINIFLARE_WORKERD_PATH ?? ofWrangler("workerd").default;
  const out = state.path("build");
  const modules = await (options.entry === undefined
    ? builtModules(root, out, options.signal)
    : build(root, out, options.signal, options.entry));
  process.env.MINIFLARE_WORKERD_PATH = linkWorkerd(state, binary);
  const release = guardWorkerd(state);
  const config = readConfig(root, out);
  const miniflare = withoutSignalHandlers(
    () =>
      new Miniflare(
        convertV4MiniflareOptions({
          log: new NoOpLog(),
          handleStructuredLogs: ({ level, message, timestamp }) => log.write(level, message, timestamp),
          unsafeHandleRuntimeRestart: () => log.write("error", "workerd ended unexpectedly and was started again"),
          cf: false,
          telemetry: { enabled: false },
          unsafeRuntimeEnv: RUNTIME_ENV,
          resourcePersistencePath: state.path("store"),
          workers: [workerOptions(config, modules, out, options)],
        }),
      ),
  );
  const end = async () => {
    await miniflare.dispose();
    release();
  };
  const schedule = async (cron: string) => {
    const worker = (await miniflare.getWorker()) as unknown as {
      scheduled(event: { cron: string }): Promise<unknown>;
    };
    await worker.scheduled({ cron });
  };
  try {
    await miniflare.ready;
    await migrate(miniflare, config);
    const runCron = () => schedule(config.crons[0] ?? "");
    const stop = async (hurry = new AbortController().signal) => {
      const readied = schedule(STOP).catch((error) =>
        log.write("info", `it was not readied for its end: ${firstLine(error)}`),
      );
      await Promise.race([readied, sleep(STOP_MS, null, { ref: false }), aborted(hurry)]);
      await end();
    };
    return { runCron, stop };
  } catch (error) {
    await end();
    if ((error as { code?: string }).code === "ERR_ADDRESS_IN_USE") throw portInUse(options.port);
    throw error;
  }
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

type Worker = Extract<V4MiniflareOptions, { workers: unknown }>["workers"][number];

function workerOptions(
  config: WorkerConfig,
  modules: Awaited<ReturnType<typeof build>>,
  modulesRoot: string,
  options: RuntimeOptions,
): Worker {
  const worker = config.options;
  return {
    ...(worker as object),
    name: config.name,
    modules,
    modulesRoot,
    // Not wrangler's: it reads .dev.vars on its own, and we have read the settings file that was asked for.
    bindings: { ...config.vars, ...options.bindings },
    serviceBindings: { ...(worker as Worker).serviceBindings, NETWORK },
    unsafeDirectSockets: [{ host: HOST, port: options.port }],
  };
}

async function migrate(miniflare: MiniflareInstance, { databases }: WorkerConfig): Promise<void> {
  for (const { binding, migrations } of databases) {
    if (migrations.length === 0) continue;
    try {
      await applyMigrations(await miniflare.getD1Database(binding), migrations);
    } catch (error) {
      throw new StartFailure(`the migrations of the database ${binding} failed: ${firstLine(error)}`);
    }
  }
}

/** Miniflare ends the process at once on a signal, which would leave locks and logs untidied: its handlers are taken off. */
function withoutSignalHandlers<T>(construct: () => T): T {
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  const before = signals.map((signal) => process.listeners(signal));
  const made = construct();
  signals.forEach((signal, i) => {
    for (const listener of process.listeners(signal)) {
      if (!before[i]?.includes(listener)) process.off(signal, listener);
    }
  });
  return made;
}
