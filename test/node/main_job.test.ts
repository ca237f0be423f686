import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { demo } from "../../scripts/demo.ts";
import { batchesOf, readLibrary } from "../../scripts/lib/demo_documents.ts";
import { compareUsage } from "../../scripts/lib/demo_steps.ts";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** USD per million tokens, and what an agent pays on top for a model in the cloud. */
const PRICE = { input: 0.15, output: 0.6 };
const MARKUP_PERCENT = 103;

const docs = mkdtempSync(join(tmpdir(), "waypost-demo-"));
let upstream: UpstreamServer;
let waypost: Waypost;

beforeAll(async () => {
  writeFileSync(
    join(docs, "tea.md"),
    "# How hot the water is\n\nGreen tea is best at 80 °C.\n\n## Black tea\n\nBlack tea takes water that boils.\n",
  );
  writeFileSync(
    join(docs, "trail.md"),
    "# Where the trail turns\n\nAt the third waypost the trail turns north, towards the ridge.\n",
  );
  writeFileSync(join(docs, "hut.txt"), "The hut on the ridge opens in June and has beds for twelve people.\n");
  writeFileSync(join(docs, "map.html"), "<h1>The map</h1><p>The map of the valley is sold at the station.</p>");
  upstream = await startUpstream();
  waypost = await startWaypost({
    vars: {
      MODEL_PROVIDERS: JSON.stringify([
        { id: "standin", base_url: `${upstream.url}/v1`, local: false, models: [{ name: "echo" }] },
      ]),
      MODEL_PRICES: JSON.stringify({
        "standin/echo": { input: String(PRICE.input), output: String(PRICE.output) },
      }),
    },
  });
});
afterAll(async () => {
  await waypost?.stop();
  await upstream?.close();
  rmSync(docs, { recursive: true, force: true });
});

test("index, search, fetch, chat and sync through every door, and a bill that is the sum of its calls", async () => {
  const printed: string[] = [];
  const options = { url: waypost.url, key: waypost.apiKey, docs: [docs], model: "standin/echo" };
  expect(await demo(options, (line) => printed.push(line))).toEqual([]);
  const report = printed.join("\n");
  expect(report).toContain("4 documents");
  expect(report).toMatch(/in turn over MCP 2026-07-28 and MCP 2025-11-25/);
  expect(report).toContain("both have all 4");

  // The provider's own count of what it served, priced here and apart from the product's code.
  expect(upstream.log).toHaveLength(4);
  const owed = upstream.log.reduce((sum, { usage }) => {
    const micro = (usage?.prompt_tokens ?? 0) * PRICE.input + (usage?.completion_tokens ?? 0) * PRICE.output;
    return sum + Math.ceil(Number(((micro * 1_000 * MARKUP_PERCENT) / 100).toFixed(6)));
  }, 0);
  expect(owed).toBeGreaterThan(0);
  const answer = await fetch(`${waypost.url}/v1/usage`, { headers: { authorization: `Bearer ${waypost.apiKey}` } });
  const usage = (await answer.json()) as { total: { cost_nano: number }; by_model: Record<string, { calls: number }> };
  expect(usage.total.cost_nano).toBe(owed);
  expect(usage.by_model["standin/echo"]?.calls).toBe(4);
});

test("a bill that is off by one nano-USD or one call is a difference", () => {
  const usageOf = (calls: number, cost_nano: number) => ({ month: "2026-01", total: { calls, cost_nano } });
  const receipt = { through: "REST", tool: "chat", costNano: 5, replayed: false };
  const differences = (calls: number, nano: number): string[] => {
    const found: string[] = [];
    const report = { line: () => {}, check: (holds: boolean, what: string) => void (holds || found.push(what)) };
    compareUsage(usageOf(1, 7), usageOf(calls, nano), [receipt, { ...receipt, costNano: 0, replayed: true }], report);
    return found;
  };
  expect(differences(2, 12)).toEqual([]);
  expect(differences(2, 13)).toHaveLength(1);
  expect(differences(3, 12)).toHaveLength(1);
});

test("the documents are cut into calls that the server takes", () => {
  const document = (id: number, bytes: number) => ({ id: String(id), text: "x".repeat(bytes) });
  const many = Array.from({ length: 250 }, (_, id) => document(id, 10));
  expect(batchesOf(many).map(({ length }) => length)).toEqual([100, 100, 50]);
  const large = Array.from({ length: 3 }, (_, id) => document(id, 3_000_000));
  expect(batchesOf(large).map(({ length }) => length)).toEqual([1, 1, 1]);
  expect(batchesOf([])).toEqual([]);
});

test("a folder is read file by file, each with a question, without what is not text", () => {
  writeFileSync(join(docs, "empty.md"), " \n");
  const { documents, questions, skipped } = readLibrary([docs]);
  expect(documents.map(({ id }) => id)).toEqual(["hut.txt", "map.html", "tea.md", "trail.md"]);
  expect(questions.map(({ text }) => text)).toEqual([
    "The hut on the ridge opens in June and has beds for",
    "The map",
    "How hot the water is",
    "Where the trail turns",
  ]);
  expect(skipped).toEqual(["empty.md"]);
});

test.each([
  [["--url", "http://127.0.0.1:1"], "--url needs --key"],
  [["--questions", "many"], "--questions"],
  [["--docs", "/nowhere/at/all"], "/nowhere/at/all"],
])("%j is told in one line, with exit code 1", (args, named) => {
  let failure: { status?: number; stderr?: Buffer } = {};
  try {
    execFileSync(process.execPath, ["scripts/demo.ts", ...args], { stdio: "pipe" });
  } catch (error) {
    failure = error as typeof failure;
  }
  expect(failure.status).toBe(1);
  expect(String(failure.stderr)).toMatch(/^demo: [^\n]+\n$/);
  expect(String(failure.stderr)).toContain(named);
});
