import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { build } from "../../scripts/lib/build.ts";

const folder = mkdtempSync(join(tmpdir(), "waypost-bundle-"));
afterAll(() => rmSync(folder, { recursive: true }));

// A start reads all of it. One character beyond ASCII in a regular expression or a tagged template (the bundler escapes the
// other strings) doubles the memory of the text and takes a twentieth more time: see `pattern`.
it("the bundle is ASCII", async () => {
  const root = resolve(import.meta.dirname, "../..");
  const modules = await build(root, folder, new AbortController().signal);
  const text = modules.map(({ path }) => readFileSync(path, "utf8")).join("\n");
  expect(text.length).toBeGreaterThan(500_000);
  expect(text.match(/.{0,60}[^\p{ASCII}].{0,60}/gu) ?? []).toEqual([]);
});
