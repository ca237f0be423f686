import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { builtModules, digestOf } from "../../scripts/lib/build_cache.ts";

/** A small Worker of its own, since what is kept of the product's is used by others at the same time. */
const root = mkdtempSync(join(tmpdir(), "waypost-build-"));
const write = (name: string, text: string) => {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), text);
};
const answering = (text: string) => `export default { fetch: () => new Response(${JSON.stringify(text)}) };\n`;

beforeAll(() => {
  write("wrangler.toml", 'name = "small"\nmain = "src/index.ts"\ncompatibility_date = "2026-10-27"\n');
  write("package.json", '{ "type": "module" }\n');
  write("src/index.ts", answering("the first answer"));
  write("src/parts/more.ts", "export const more = 1;\n");
});
afterAll(() => rmSync(root, { recursive: true }));

/** Builds into a directory of its own; the text of the entry. */
async function built(): Promise<string> {
  const out = mkdtempSync(join(tmpdir(), "waypost-built-"));
  try {
    const modules = await builtModules(root, out, new AbortController().signal);
    return readFileSync(modules[0]?.path as string, "utf8");
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

const kept = (): string[] => readdirSync(join(root, "node_modules/.cache/waypost-build"));

describe("a build that is kept", () => {
  it("is used again for the same sources, and no longer than they are the same", async () => {
    expect(await built()).toContain("the first answer");
    const [name] = kept();
    expect(kept()).toEqual([digestOf(root)]);
    // What is kept is told from what is built by a mark in it.
    const entry = join(root, "node_modules/.cache/waypost-build", name as string, "index.mjs");
    writeFileSync(entry, `${readFileSync(entry, "utf8")}\n// kept\n`);
    expect(await built()).toContain("// kept");
    write("src/index.ts", answering("the second answer"));
    const second = await built();
    expect(second).toContain("the second answer");
    expect(second).not.toContain("// kept");
  });

  it("has nothing of the settings and secrets of starts", async () => {
    write(".dev.vars", "OPENAI_API_KEY=sk-never-kept\n");
    write("src/index.ts", answering("beside a secret"));
    await built();
    const folder = join(root, "node_modules/.cache/waypost-build");
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const texts = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"));
    expect(texts.filter((text) => text.includes("beside a secret"))).not.toEqual([]);
    expect(texts.filter((text) => text.includes("sk-never-kept"))).toEqual([]);
  });

  it("is told from others by every file it is made of", () => {
    const seen = new Set([digestOf(root)]);
    write("src/parts/more.ts", "export const more = 2;\n");
    seen.add(digestOf(root));
    write("src/new.ts", "");
    seen.add(digestOf(root));
    write("wrangler.toml", readFileSync(join(root, "wrangler.toml"), "utf8").replace("small", "smaller"));
    seen.add(digestOf(root));
    write("migrations/0001_first.sql", "SELECT 1;\n");
    seen.add(digestOf(root));
    write("node_modules/.package-lock.json", "{}");
    seen.add(digestOf(root));
    expect(seen.size).toBe(6);
    write("README.md", "not part of it");
    expect(seen.has(digestOf(root))).toBe(true);
  });

  it("gives way to later ones: three are kept", async () => {
    const cache = join(root, "node_modules/.cache/waypost-build");
    for (const name of ["a", "b", "c"])
      cpSync(join(cache, kept()[0] as string), join(cache, name), { recursive: true });
    write("src/index.ts", answering("the last answer"));
    await built();
    expect(kept()).toHaveLength(3);
    expect(kept()).toContain(digestOf(root));
  });

  it("is not needed: where nothing can be kept, each start builds", async () => {
    rmSync(join(root, "node_modules/.cache"), { recursive: true });
    write("node_modules/.cache", "a file where the directory would be");
    write("src/index.ts", answering("an answer all the same"));
    expect(await built()).toContain("an answer all the same");
    expect(existsSync(join(root, "node_modules/.cache/waypost-build"))).toBe(false);
  });

  it("is none when the sources do not build", async () => {
    rmSync(join(root, "node_modules/.cache"), { recursive: true, force: true });
    write("src/index.ts", "export default {");
    await expect(built()).rejects.toThrow("does not build");
    expect(existsSync(join(root, "node_modules/.cache/waypost-build"))).toBe(false);
  });
});
