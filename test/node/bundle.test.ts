import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, test } from "vitest";
import * as namespace from "../../src/bundle/zod_namespace.ts";

const modules = resolve(import.meta.dirname, "../../node_modules");

/** Scripts of the provider packages and of what they are made of. */
function scripts(): string[] {
  return readdirSync(join(modules, "@ai-sdk")).flatMap((name) => {
    const dist = join(modules, "@ai-sdk", name, "dist");
    return readdirSync(dist, { recursive: true, encoding: "utf8" })
      .filter((file) => /\.m?js$/.test(file))
      .map((file) => readFileSync(join(dist, file), "utf8"));
  });
}

test("what packages use of zod's `z` is in the bundle's stand-in for it", () => {
  const users = scripts().filter((text) => /import \{ z \} from "zod\/v4"/.test(text));
  const used = new Set(users.flatMap((text) => [...text.matchAll(/\bz\.(\w+)/g)].map(([, name]) => name)));
  expect(used.size).toBeGreaterThan(5);
  expect([...used].filter((name) => !Object.hasOwn(namespace, name as string))).toEqual([]);
});
