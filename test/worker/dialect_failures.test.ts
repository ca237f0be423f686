import { env } from "cloudflare:test";
import { describe, expect, inject, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { breakers } from "../../src/models/routing/breaker.ts";
import { account, rest } from "./client.ts";

/** A provider's failure is one error of the catalogue, whether the request was passed through or converted. */

const url = inject("upstreamUrl");
const KEY = "sk-upstream-of-the-failures";
const FAILURES: [model: string, code: string, wait: string | null][] = [
  ["fail-400", "invalid_input", null],
  ["fail-422", "invalid_input", null],
  ["fail-400-context", "context_too_long", null],
  ["fail-413", "context_too_long", null],
  ["fail-401", "provider_refused", null],
  ["fail-404", "provider_refused", null],
  ["fail-408", "provider_timeout", null],
  ["fail-429", "provider_busy", "5"],
  ["fail-429-retry-after", "provider_busy", "7"],
  ["fail-429-retry-ms", "provider_busy", "2"],
  ["fail-529", "provider_busy", "5"],
  ["fail-529-retry-after", "provider_busy", "7"],
  ["fail-503", "provider_failed", null],
  ["fail-503-retry-after", "provider_busy", "7"],
  ["fail-500-retry-after", "provider_failed", "7"],
];
const AMID: [model: string, code: string][] = [
  ["overloaded-mid-stream", "provider_busy"],
  ["error-mid-stream", "provider_failed"],
  ["cut-mid-stream", "provider_failed"],
];
const models = [...FAILURES, ...AMID].map(([model]) => model);

Object.assign(env as unknown as Env, {
  ANTHROPIC_API_KEY: KEY,
  ANTHROPIC_BASE_URL: `${url}/v1`,
  MODEL_PROVIDERS: JSON.stringify([
    { id: "paid", base_url: `${url}/v1`, api_key: KEY, local: false, models: models.map((name) => ({ name })) },
  ]),
  MODEL_PRICES: JSON.stringify(
    Object.fromEntries(
      ["paid", "anthropic"].flatMap((provider) =>
        models.map((name) => [`${provider}/${name}`, { input: "3", output: "15" }]),
      ),
    ),
  ),
  PROVIDER_TIMEOUT_MS: "20000",
});

const { key } = await account();
/** A drop-in request's body; what failed before is not held against the provider. */
const asked = (model: string, stream: boolean) => {
  breakers.clear();
  return {
    model,
    stream,
    max_tokens: 50,
    messages: [{ role: "user", content: "a b c d e f" }],
  };
};
const PATHS = ["/v1/chat/completions", "/v1/messages"];

describe.each(["paid", "anthropic"])("a provider (%s) in both dialects", (provider) => {
  it.each(FAILURES)("%s is %s, wait %s", async (model, code, wait) => {
    for (const path of PATHS) {
      for (const stream of [false, true]) {
        const reply = await rest(key, "POST", path, asked(`${provider}/${model}`, stream));
        const where = [path, stream];
        expect([...where, reply.headers.get("retry-after")]).toEqual([...where, wait]);
        expect([...where, reply.body.error.message]).toEqual([...where, expect.stringMatching(`^${code}: `)]);
        expect(JSON.stringify(reply.body)).not.toMatch(/secret|sk-/);
      }
    }
    expect((await rest(key, "GET", "/v1/usage")).body.total.cost_nano).toBe(0);
  });
});

it.each(AMID)("Anthropic's %s, in the middle of an answer, is %s", async (model, code) => {
  for (const path of PATHS) {
    const reply = await rest(key, "POST", path, asked(`anthropic/${model}`, true));
    expect([path, reply.status]).toEqual([path, 200]);
    expect(reply.body).toContain("said: ");
    expect([path, reply.body]).toEqual([path, expect.stringContaining(`"message":"${code}: `)]);
    expect(reply.body).not.toContain("secret");
  }
});
