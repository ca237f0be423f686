import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { build } from "../../scripts/lib/build.ts";

/** What a module of the bundle imports at once; what it imports with `import()` has a parenthesis. */
const IMPORTED = /(?:from|import)"\.\/([^"]+)"/g;

describe("the bundle", () => {
  const out = mkdtempSync(join(tmpdir(), "waypost-bundle-"));
  /** By their names. */
  const texts = new Map<string, string>();
  let main = "";

  beforeAll(async () => {
    const modules = await build(resolve(import.meta.dirname, "../.."), out, new AbortController().signal);
    for (const { path } of modules) texts.set(basename(path), readFileSync(path, "utf8"));
    main = basename(modules[0]?.path as string);
  });
  afterAll(() => rmSync(out, { recursive: true }));

  /** What a start compiles. */
  function atOnce(name: string, found = new Set<string>()): Set<string> {
    if (found.has(name)) return found;
    found.add(name);
    for (const [, next] of (texts.get(name) as string).matchAll(IMPORTED)) atOnce(next as string, found);
    return found;
  }
  const bytes = (names: Iterable<string>) =>
    [...names].reduce((sum, name) => sum + (texts.get(name) as string).length, 0);

  it("has most of it wait until it is needed", () => {
    expect(bytes(texts.keys())).toBeGreaterThan(1_000_000);
    const compiled = bytes(atOnce(main));
    expect(compiled).toBeGreaterThan(100_000);
    expect(compiled).toBeLessThan(300_000);
  });

  it("has all it imports", () => {
    const imported = [...texts.values()].flatMap((text) =>
      [...text.matchAll(/(?:from|import\(?)"\.\/([^"]+)"/g)].map(([, name]) => name as string),
    );
    expect(imported.length).toBeGreaterThan(texts.size);
    expect(imported.filter((name) => !texts.has(name))).toEqual([]);
  });

  // One character beyond ASCII in a regular expression or a tagged template (the bundler escapes the other strings) doubles
  // the memory of a module's text and takes a twentieth more time: see `pattern`.
  it("is ASCII where a start reads it", () => {
    const text = [...atOnce(main)].map((name) => texts.get(name)).join("\n");
    expect(text.match(/.{0,60}[^\p{ASCII}].{0,60}/gu) ?? []).toEqual([]);
  });
});
