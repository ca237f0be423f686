import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { inWorkerd } from "./test/worker/config.ts";

/**
 * Tests of the whole product, which reads its settings once. Loading its modules takes longer than most files do, so files
 * that run with the same settings share a Worker: those without any of their own, and those with the stand-in's models as
 * `configureModels()` gives them. One that changes settings, or tears objects down under others, has a Worker for itself.
 */
const ALONE =
  /\bsettings\b|as unknown as Env|Object\.assign\(env|configureModels\([^)]|breakers|abortAllDurableObjects|evictDurableObject|routingWorld|issuerSettings|jwt_issuer|inject\(/;

const folder = "test/worker";
const groups: Record<"alone" | "plain" | "models", string[]> = { alone: [], plain: [], models: [] };
for (const name of readdirSync(folder).filter((each) => each.endsWith(".test.ts"))) {
  const text = readFileSync(`${folder}/${name}`, "utf8");
  const group = ALONE.test(text) ? "alone" : text.includes("configureModels();") ? "models" : "plain";
  groups[group].push(`${folder}/${name}`);
}

export default defineConfig(async () => ({
  test: {
    projects: await Promise.all(
      Object.entries(groups).map(async ([name, include]) =>
        (inWorkerd({ name, include, isolate: name === "alone" }) as () => Promise<object>)(),
      ),
    ),
  },
}));
