import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CutDialect, cutWire, PATHS } from "../upstream/cut_wires.ts";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** Answers that come in bursts of random pieces reach the client of a drop-in endpoint byte for byte. */

const SEEDS = Array.from({ length: 8 }, (_, i) => 7_000 + i);
const PROVIDERS: Record<CutDialect, string> = {
  "openai-chat": "openai",
  "openai-responses": "openai",
  "anthropic-messages": "anthropic",
};
const ASKED = {
  "openai-chat": { messages: [{ role: "user", content: "a" }], stream_options: { include_usage: true } },
  "openai-responses": { input: "a" },
  "anthropic-messages": { messages: [{ role: "user", content: "a" }], max_tokens: 4_000 },
};

let upstream: UpstreamServer;
let waypost: Waypost;

beforeAll(async () => {
  upstream = await startUpstream();
  const base = `${upstream.url}/cuts/v1`;
  const models = SEEDS.flatMap((seed) => [`openai/cuts-${seed}`, `anthropic/cuts-${seed}`]);
  waypost = await startWaypost({
    vars: {
      OPENAI_API_KEY: "sk-stand-in",
      OPENAI_BASE_URL: base,
      ANTHROPIC_API_KEY: "sk-ant-stand-in",
      ANTHROPIC_BASE_URL: base,
      PLANS: JSON.stringify({ enterprise: { minute: 10_000, hour: 100_000, day: 100_000, monthlyTokens: null } }),
      MODEL_PRICES: JSON.stringify(Object.fromEntries(models.map((id) => [id, { input: "3", output: "15" }]))),
    },
  });
});
afterAll(async () => {
  await waypost?.stop();
  await upstream?.close();
});

describe.each(Object.keys(PATHS) as CutDialect[])("a stream of %s", (dialect) => {
  it.each(SEEDS)("of seed %d is what the provider sent", async (seed) => {
    const response = await fetch(waypost.url + PATHS[dialect], {
      method: "POST",
      headers: { authorization: `Bearer ${waypost.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model: `${PROVIDERS[dialect]}/cuts-${seed}`, stream: true, ...ASKED[dialect] }),
    });
    expect(response.status).toBe(200);
    const got = Buffer.from(await response.arrayBuffer());
    const sent = Buffer.from(cutWire(dialect, seed).bytes);
    expect(got.length).toBe(sent.length);
    expect(got.equals(sent)).toBe(true);
  });
});
