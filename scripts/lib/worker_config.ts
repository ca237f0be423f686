import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { SourcelessWorkerOptions } from "wrangler";
import type { Migration } from "./migrations.ts";

/** What a start needs to know of wrangler.toml and the migrations, as wrangler reads them. */
export interface WorkerConfig {
  name: string | undefined;
  vars: Record<string, string>;
  crons: string[];
  databases: { binding: string; migrations: Migration[] }[];
  /** For Miniflare. */
  options: SourcelessWorkerOptions;
}

interface Database {
  binding: string;
  migrations_dir?: string;
}

/** Beside the modules of a build: wrangler takes seconds to load, and a build that is kept does without it. */
const FILE = "worker_config.json";

/** Reads the configuration that the build in `out` is of, and writes it there. */
export function writeConfig(root: string, out: string): void {
  // Not imported: that parses all of it to find out what kind of a module it is.
  const wrangler = createRequire(import.meta.url)("wrangler") as typeof import("wrangler");
  const config = wrangler.unstable_readConfig({ config: join(root, "wrangler.toml"), env: "" }, { hideWarnings: true });
  // Where it is said to lie there is no .dev.vars: settings and secrets are read in each start, and must not lie about here.
  const elsewhere = { ...config, userConfigPath: join(out, "wrangler.toml") };
  // The modules are built already, so the rules for finding more of them do not apply; the checkout may be moved.
  const {
    modulesRules: _,
    rootPath: __,
    bindings: ___,
    ...options
  } = wrangler.unstable_getMiniflareWorkerOptions(elsewhere).workerOptions;
  const migrationsIn = (dir: string): Migration[] =>
    readdirSync(dir)
      .filter((name) => name.endsWith(".sql"))
      .sort()
      .map((name) => ({ name, statements: wrangler.unstable_splitSqlQuery(readFileSync(join(dir, name), "utf8")) }));
  const read: WorkerConfig = {
    name: config.name,
    vars: config.vars as Record<string, string>,
    crons: config.triggers.crons ?? [],
    databases: config.d1_databases.map(({ binding, migrations_dir: dir }: Database) => ({
      binding,
      migrations: dir ? migrationsIn(join(root, dir)) : [],
    })),
    options,
  };
  writeFileSync(join(out, FILE), JSON.stringify(read));
}

export function readConfig(root: string, out: string): WorkerConfig {
  const config = JSON.parse(readFileSync(join(out, FILE), "utf8")) as WorkerConfig;
  return { ...config, options: { ...config.options, rootPath: root } };
}
