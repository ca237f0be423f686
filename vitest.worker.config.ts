import { readdirSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { inWorkerd, onConsoleLog } from "./test/worker/config.ts";

/**
 * Tests of the whole product. Loading its modules takes longer than most files do, so files that run with the same settings
 * share a Worker: those without any of their own, and those with the stand-in's models as `configureModels()` gives them. One
 * that changes settings which the product reads once, or tears all objects down, has a Worker for itself, and so has one with
 * issuers of its own. How people sign in is read anew each time, and may be changed in a shared one.
 */
const ALONE =
  /Object\.assign\((env|settings)\b|\.(?!SIGN_UPS|GITHUB_)[A-Z]+(_[A-Z]+)* = |configureModels\([^)]|jwt_issuer|abortAllDurableObjects|routingWorld/;

const folder = "test/worker";
const groups: Record<"alone" | "plain" | "models", string[]> = { alone: [], plain: [], models: [] };
for (const name of readdirSync(folder).filter((each) => each.endsWith(".test.ts"))) {
  const text = readFileSync(`${folder}/${name}`, "utf8");
  const group = ALONE.test(text) ? "alone" : text.includes("configureModels();") ? "models" : "plain";
  groups[group].push(`${folder}/${name}`);
}

export default defineConfig(async () => ({
  test: {
    onConsoleLog,
    projects: await Promise.all(
      Object.entries(groups).map(async ([name, include]) =>
        (inWorkerd({ name, include, isolate: name === "alone" }) as () => Promise<object>)(),
      ),
    ),
  },
}));
