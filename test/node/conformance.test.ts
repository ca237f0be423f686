import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modulesIn } from "../../scripts/lib/build.ts";
import { builtModules } from "../../scripts/lib/build_cache.ts";
import { TOOLS } from "../conformance/answers.ts";
import { giveUp, WAYS } from "../conformance/leaks.ts";
import { suites } from "../conformance/suites.ts";
import { prompts, resources } from "../conformance/things.ts";
import { type ConformanceWorld, startConformance } from "../conformance/world.ts";

/** The fixtures of the official suites: nowhere but in the tests, and there behind the product's own gate. */

const root = resolve(import.meta.dirname, "../..");

let world: ConformanceWorld;
beforeAll(async () => {
  world = await startConformance();
});
afterAll(() => world?.stop());

describe("what is deployed", () => {
  const out = mkdtempSync(join(tmpdir(), "waypost-bundle-"));
  afterAll(() => rmSync(out, { recursive: true, force: true }));

  const textOf = (modules: { path: string }[]) => modules.map(({ path }) => readFileSync(path, "utf8")).join("\n");

  test("has none of the fixtures in it, by any of their names", async () => {
    const names = [...Object.keys(TOOLS), ...prompts.map(({ name }) => name), ...resources.map(({ uri }) => uri)];
    expect(names.length).toBeGreaterThan(30);
    const product = textOf(await builtModules(root, join(out, "product"), new AbortController().signal));
    const tested = textOf(modulesIn(world.build, "worker.mjs"));
    expect(names.filter((name) => !tested.includes(name))).toEqual([]);
    expect(names.filter((name) => product.includes(name))).toEqual([]);
    expect(product.length).toBeGreaterThan(100_000);
  });

  test("has no configuration that would deploy them", () => {
    const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
      (file) => /(^|\/)wrangler\.(toml|jsonc?)$/.test(file) && !file.includes("node_modules"),
    );
    expect(files).toContain("wrangler.toml");
    for (const file of files) expect(readFileSync(join(root, file), "utf8"), file).not.toContain("conformance");
  });
});

describe("the fixtures", () => {
  const call = async (key: string | null, name: string) => {
    const meta = {
      "io.modelcontextprotocol/protocolVersion": "2026-07-28",
      "io.modelcontextprotocol/clientCapabilities": {},
    };
    const response = await fetch(world.mcp, {
      method: "POST",
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        "content-type": "application/json",
        accept: "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": name,
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name, arguments: {}, _meta: meta },
      }),
    });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };

  test("are refused without a credential", async () => {
    expect((await call(null, "test_simple_text")).status).toBe(401);
    expect((await call("wp_nobody", "test_simple_text")).status).toBe(401);
  });

  test("are counted and booked like any other call", async () => {
    const auth = { authorization: `Bearer ${world.apiKey}` };
    const first = await call(world.apiKey, "test_simple_text");
    const second = await call(world.apiKey, "test_simple_text");
    const remaining = [first, second].map(({ headers }) => Number(headers.get("x-ratelimit-remaining")));
    expect(remaining[1]).toBe((remaining[0] as number) - 1);
    const usage = await (await fetch(`${world.url}/v1/usage`, { headers: auth })).text();
    expect(usage).toContain("test_simple_text");
  });

  test("leave no stream open when their calls are given up", async () => {
    for (const way of WAYS) {
      const { given, most, left } = await giveUp(world, way, 40);
      expect([way, given, left]).toEqual([way, 40, { door: 0, session: 0 }]);
      expect(most, way).toBeGreaterThan(0);
    }
  });
});

test("the suites say what they require", () => {
  expect(suites().map(({ title, required }) => [title, required.length])).toEqual([
    ["requirements of 2026-07-28", 37],
    ["requirements of 2025-11-25", 30],
    ["0.1, every scenario", 32],
  ]);
});
