import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "vitest";
import * as parts from "../../src/bundle/zod_parts.ts";

/** Packages in the bundle that import zod's namespace. */
const PACKAGES = ["anthropic", "openai-compatible", "provider-utils"];

test.each(PACKAGES)("@ai-sdk/%s finds in the bundle what it uses of zod", (name) => {
  const source = readFileSync(resolve(import.meta.dirname, `../../node_modules/@ai-sdk/${name}/dist/index.js`), "utf8");
  const used = new Set([...source.matchAll(/(?<![\w.$])z\.([a-zA-Z_]\w*)/g)].map((match) => match[1] as string));
  if (/import \{[^}]*\bz\b[^}]*\} from "zod/.test(source)) expect(used.size).toBeGreaterThan(5);
  expect([...used].filter((part) => !(part in parts))).toEqual([]);
});
