import { env } from "cloudflare:test";
import { beforeEach, inject } from "vitest";
import type { Env } from "../../src/env.ts";
import { MARKUP_BPS, type TokenPrice, type TokenUsage } from "../../src/ledger/money.ts";
import { breakers } from "../../src/models/routing/breaker.ts";

/** The stand-in provider as the Worker under test is configured with it. Its key must never show up in an answer. */
export const UPSTREAM_KEY = `sk-upstream-of-the-door-tests-${crypto.randomUUID().slice(0, 8)}`;
/** USD per million tokens of every model below. */
const PRICE = { input: "3", output: "15" };
const PICO: TokenPrice = { input: 3_000_000, output: 15_000_000 };

/** What the stand-in does under these names is told in test/upstream/server.ts. */
const PAID = [
  "echo",
  "tokens-1-1",
  "tokens-7-3",
  "tokens-1000-500",
  "tokens-12345-678",
  "tokens-999000-1000",
  "no-usage",
  "slow-words",
  "slow-first-byte",
  "cut-mid-stream",
  "end-mid-stream",
  "reason-only",
  "malformed-chunk",
  "nonsense-chunk",
  "error-chunk",
  "huge-line",
  "silent-mid-stream",
  "wrong-content-type",
  "fail-302",
  "fail-400",
  "fail-400-context",
  "fail-401",
  "fail-429-retry-after",
  "fail-429-quota",
  "fail-500",
  "fail-503",
];

/**
 * Gives the Worker two providers: `paid`, the stand-in, and `gone`, where nobody listens. `auto` stays with the embedded
 * model. Call it before the first request of a test file: the Worker reads its settings once. `patienceMs` is short where
 * silence is what is tested, and long elsewhere: a busy machine is not a silent provider.
 */
export function configureModels(patienceMs = 20_000): void {
  const settings = env as unknown as Env;
  settings.MODEL_PROVIDERS = JSON.stringify([
    {
      id: "paid",
      base_url: `${inject("upstreamUrl")}/v1`,
      api_key: UPSTREAM_KEY,
      local: false,
      models: [{ name: "echo", context: 2_000_000, max_output: 4096 }],
    },
    { id: "gone", base_url: "http://127.0.0.1:9/v1", api_key: UPSTREAM_KEY, local: false, models: [{ name: "echo" }] },
  ]);
  const priced = [...PAID.map((name) => `paid/${name}`), "gone/echo"];
  settings.MODEL_PRICES = JSON.stringify(Object.fromEntries(priced.map((id) => [id, PRICE])));
  settings.DEFAULT_MODEL = "local/extractive";
  settings.PROVIDER_TIMEOUT_MS = String(patienceMs);
  // A provider that failed in one test is asked again in the next.
  beforeEach(() => breakers.clear());
}

/** What a usage at these prices costs, in nano-USD, reckoned apart from the code under test: rounded up once. */
export function priceOf({ input, output }: TokenUsage): number {
  const pico = BigInt(input) * BigInt(PICO.input) + BigInt(output) * BigInt(PICO.output);
  const scaled = pico * BigInt(MARKUP_BPS.cloud);
  return Number(scaled / 10_000_000n + (scaled % 10_000_000n === 0n ? 0n : 1n));
}

/** Requests for a model that the stand-in has served to this Worker. */
export async function servedBy(model: string): Promise<number> {
  const log = (await (await fetch(`${inject("upstreamUrl")}/log`)).json()) as {
    model: string;
    authorization: string;
  }[];
  return log.filter((entry) => entry.model === model && entry.authorization === `Bearer ${UPSTREAM_KEY}`).length;
}
