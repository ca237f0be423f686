import { env } from "cloudflare:test";
import type { LanguageModelV4CallOptions, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, inject, test } from "vitest";
import { freeOfPrice, LEAK, servedUnder } from "../../../test/provider_run.ts";
import type { Env } from "../../env.ts";
import type { WaypostError } from "../../errors.ts";
import { createModels } from "../catalogue.ts";
import type { AiBinding } from "./workers_ai.ts";

const upstreamUrl = inject("upstreamUrl");
const KEY = "sk-language-model-tests";

const binding: AiBinding = {
  run: (model, inputs, { signal } = {}) =>
    fetch(`${upstreamUrl}/workers-ai/${encodeURIComponent(model)}`, {
      method: "POST",
      body: JSON.stringify(inputs),
      signal: signal ?? null,
    }),
};
const settings: Env = {
  ...(env as unknown as Env),
  OPENAI_BASE_URL: `${upstreamUrl}/v1`,
  OPENAI_API_KEY: KEY,
  ANTHROPIC_BASE_URL: upstreamUrl,
  ANTHROPIC_API_KEY: KEY,
  AZURE_OPENAI_BASE_URL: upstreamUrl,
  AZURE_OPENAI_API_KEY: KEY,
  AZURE_OPENAI_DEPLOYMENTS: JSON.stringify({ "our-mini": "gpt-4o-mini", "our-o3": "o3", "fail-429": "gpt-4o" }),
  OLLAMA_HOST: upstreamUrl,
  AI: binding,
  PROVIDER_TIMEOUT_MS: "2500",
};

const options = (more: Partial<LanguageModelV4CallOptions> = {}): LanguageModelV4CallOptions => ({
  prompt: [{ role: "user", content: [{ type: "text", text: "one two three" }] }],
  maxOutputTokens: 100,
  ...more,
});
const modelOf = (name: string) => {
  const models = createModels({ ...settings, MODEL_PRICES: freeOfPrice(name) });
  return models.languageModel(models.resolve(name).model.info);
};

async function streamed(name: string, more: Partial<LanguageModelV4CallOptions> = {}) {
  const parts: LanguageModelV4StreamPart[] = [];
  let error: WaypostError | undefined;
  try {
    const { stream } = await (await modelOf(name)).doStream(options(more));
    for await (const part of stream) parts.push(part);
  } catch (thrown) {
    error = thrown as WaypostError;
  }
  const text = parts.map((part) => (part.type === "text-delta" ? part.delta : "")).join("");
  return { parts, text, error };
}

const weather: LanguageModelV4CallOptions["tools"] = [
  {
    type: "function",
    name: "weather",
    inputSchema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
];

const EVERY = [
  "openai/gpt-4o-mini",
  "anthropic/claude-haiku-4-5",
  "azure/our-mini",
  "ollama/llama3.2:1b",
  "workers-ai/@cf/meta/llama-3.1-8b-instruct",
];

describe("every provider", () => {
  test.each(EVERY)("%s answers whole and streamed, with its usage", async (name) => {
    const whole = await (await modelOf(name)).doGenerate(options());
    expect(whole.content).toMatchObject([{ type: "text", text: "You said: one two three" }]);
    expect(whole.finishReason.unified).toBe("stop");
    expect(whole.usage).toMatchObject({ inputTokens: { total: 7 }, outputTokens: { total: 5 } });
    const { parts, text, error } = await streamed(name);
    expect([text, error]).toEqual(["You said: one two three", undefined]);
    expect(parts.at(-1)).toMatchObject({
      type: "finish",
      finishReason: { unified: "stop" },
      usage: { inputTokens: { total: 7 }, outputTokens: { total: 5 } },
    });
  });

  test("keys go in the provider's own header and nowhere else", async () => {
    for (const name of EVERY.slice(0, 3)) await (await modelOf(name)).doGenerate(options());
    const under = (model: string, key: string) => servedUnder(upstreamUrl, model, key);
    expect((await under("gpt-4o-mini", `Bearer ${KEY}`)).length).toBeGreaterThan(0);
    expect((await under("claude-haiku-4-5", KEY)).length).toBeGreaterThan(0);
    expect((await under("our-mini", `api-key ${KEY}`)).length).toBeGreaterThan(0);
  });

  test("a reasoning model of OpenAI gets max_completion_tokens, on Azure under any name", async () => {
    for (const [name, key] of [
      ["openai/o3", `Bearer ${KEY}`],
      ["azure/our-o3", `api-key ${KEY}`],
    ] as const) {
      await (await modelOf(name)).doGenerate(options({ temperature: 0.5 }));
      const body = (await servedUnder(upstreamUrl, name.slice(name.indexOf("/") + 1), key)).at(-1)?.body;
      expect(body).toMatchObject({ max_completion_tokens: 100 });
      expect(body).not.toHaveProperty("max_tokens");
      expect(body).not.toHaveProperty("temperature");
    }
  });

  test.each(["anthropic/claude-sonnet-4-5", "workers-ai/@cf/meta/llama-3.3-70b-instruct-fp8-fast"])(
    "%s calls tools",
    async (name) => {
      const whole = await (await modelOf(name)).doGenerate(options({ tools: weather }));
      expect(whole.finishReason.unified).toBe("tool-calls");
      const call = whole.content.find(({ type }) => type === "tool-call");
      expect(call).toMatchObject({ toolName: "weather", input: '{"city":"Zürich"}' });
    },
  );

  test("local/extractive is not spoken to in this way", async () => {
    await expect(modelOf("local/extractive")).rejects.toMatchObject({ code: "model_unknown" });
  });
});

describe.each(["openai", "anthropic"])("failures of %s", (provider) => {
  test.each([
    ["fail-400", "invalid_input"],
    ["fail-400-context", "context_too_long"],
    ["fail-401", "provider_refused"],
    ["fail-429-retry-after", "provider_busy"],
    ["fail-429", "provider_busy"],
    ["fail-500", "provider_failed"],
    ["wrong-content-type", "provider_failed"],
    ["slow-first-byte", "provider_timeout"],
  ])("%s is %s", async (name, code) => {
    const { parts, error } = await streamed(`${provider}/${name}`);
    expect(parts).toEqual([]);
    expect(error).toMatchObject({ name: "WaypostError", code });
    const model = await modelOf(`${provider}/${name}`);
    await expect(model.doGenerate(options())).rejects.toMatchObject({ name: "WaypostError", code });
    expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(LEAK);
    if (code === "provider_busy") expect(error?.extras.retry_after).toBe(name.endsWith("after") ? 7 : 5);
  });

  test.each([
    ["cut-mid-stream", "provider_failed"],
    ["end-mid-stream", "provider_failed"],
    ["malformed-chunk", "provider_failed"],
    ["silent-mid-stream", "provider_timeout"],
    ["huge-line", "provider_failed"],
    ...(provider === "anthropic"
      ? [
          ["overloaded-mid-stream", "provider_busy"],
          ["error-mid-stream", "provider_failed"],
        ]
      : [["error-chunk", "provider_failed"]]),
  ])("%s errors the stream with %s", async (name, code) => {
    const { parts, error } = await streamed(`${provider}/${name}`);
    expect(error).toMatchObject({ name: "WaypostError", code });
    expect(parts.some(({ type }) => type === "error" || type === "finish")).toBe(false);
    expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(LEAK);
  });

  test.each(["cut-mid-stream", "malformed-chunk"])("%s, asked whole", async (name) => {
    const model = await modelOf(`${provider}/${name}`);
    await expect(model.doGenerate(options())).rejects.toMatchObject({ code: "provider_failed" });
  });

  test("the abort signal ends it", async () => {
    const client = new AbortController();
    setTimeout(() => client.abort(), 50);
    const { error } = await streamed(`${provider}/slow-first-byte`, { abortSignal: client.signal });
    expect(error?.code).toBe("client_closed");
  });

  test("it asks once", async () => {
    const key = provider === "openai" ? `Bearer ${KEY}` : KEY;
    const before = (await servedUnder(upstreamUrl, "fail-503", key)).length;
    await streamed(`${provider}/fail-503`);
    expect((await servedUnder(upstreamUrl, "fail-503", key)).length - before).toBe(1);
  });
});
