import { createHash } from "node:crypto";
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build, modulesIn } from "./build.ts";

/**
 * What a build and its configuration are made of, besides all files in two folders. One tells the installed packages, and one
 * the form in which the configuration is kept.
 */
const INGREDIENTS = [
  "wrangler.toml",
  "tsconfig.json",
  "package.json",
  "node_modules/.package-lock.json",
  "scripts/lib/bundle.ts",
  "scripts/lib/worker_config.ts",
];
const SOURCES = ["src", "migrations"];
/** Builds that are kept: that of this checkout, and those of the last few changes. */
const KEPT = 3;

/**
 * The product's modules in `out`: built as `build` does, unless the same sources were built before, which saves seconds of
 * every start. @throws StartFailure as `build`
 */
export async function builtModules(root: string, out: string, signal: AbortSignal): ReturnType<typeof build> {
  const cache = join(root, "node_modules/.cache/waypost-build");
  const digest = digestOf(root);
  const kept = join(cache, digest);
  if (existsSync(kept)) {
    try {
      rmSync(out, { recursive: true, force: true });
      cpSync(kept, out, { recursive: true });
      return modulesIn(out);
    } catch {
      // Another start has just tidied it away.
    }
  }
  const modules = await build(root, out, signal);
  // A file that was saved amid the build may be in it or not.
  if (digestOf(root) === digest) keep(out, cache, kept);
  return modules;
}

/** SHA-256 of everything a build is made of: names and contents. */
export function digestOf(root: string): string {
  const hash = createHash("sha256");
  const sources = SOURCES.filter((folder) => existsSync(join(root, folder))).flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) => join(folder, name)),
  );
  for (const name of [...INGREDIENTS, ...sources.sort()]) {
    const path = join(root, name);
    if (!statSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    const content = readFileSync(path);
    hash.update(`${name}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** Keeps a copy. It appears whole or not at all; where that cannot be, the next start builds again. */
function keep(out: string, cache: string, kept: string): void {
  const unfinished = `${kept}.${process.pid}`;
  try {
    cpSync(out, unfinished, { recursive: true });
    renameSync(unfinished, kept);
    const byAge = readdirSync(cache)
      .map((name) => ({ path: join(cache, name), at: statSync(join(cache, name)).mtimeMs }))
      .sort((a, b) => b.at - a.at);
    for (const { path } of byAge.slice(KEPT)) rmSync(path, { recursive: true, force: true });
  } catch {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
