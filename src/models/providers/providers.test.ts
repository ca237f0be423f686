import { env } from "cloudflare:test";
import { describe, expect, inject, test } from "vitest";
import { ask, servedUnder } from "../../../test/provider_run.ts";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { createModels } from "../catalogue.ts";
import { readProviders } from "../providers.ts";

const settings = (more: Partial<Env>): Env => ({ ...(env as unknown as Env), ...more });
const providers = (more: Partial<Env>) => readProviders(settings(more)).offered;
const models = (more: Partial<Env>) => createModels(settings(more));
const whyNot = (more: Partial<Env>, provider: string) =>
  models(more)
    .list()
    .unavailable.find((each) => each.provider === provider)?.why;

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof WaypostError) return error.code;
    throw error;
  }
  return undefined;
}

const azure = {
  AZURE_OPENAI_API_KEY: "key-azure",
  AZURE_OPENAI_RESOURCE: "ours",
  AZURE_OPENAI_DEPLOYMENTS: JSON.stringify({
    "gpt-4o": "gpt-4.1-mini",
    "o3-eu": "o3",
    vec: "text-embedding-3-large",
    odd: "gpt-99",
  }),
};
const hosted = { OPENAI_API_KEY: "sk-o", ANTHROPIC_API_KEY: "sk-a" };
const GATEWAY = "https://gateway.ai.cloudflare.com/v1/acc/gate";

describe("Azure OpenAI", () => {
  test("has its deployments, each priced and limited as the model it is", () => {
    const { resolve } = { resolve: (name: string) => models(azure).resolve(name).model.info };
    expect(resolve("azure/gpt-4o")).toMatchObject({
      price: { input: 400_000 },
      contextTokens: 1_000_000,
      maxOutputTokens: 32_768,
    });
    expect(resolve("azure/o3-eu")).toMatchObject({ price: { input: 2_000_000 }, maxOutputTokens: 100_000 });
    expect(models(azure).priceOf("azure", "o3-eu")?.price).toMatchObject({ input: 2_000_000 });
    expect(models(azure).embedding("vec").info).toMatchObject({
      id: "azure/vec",
      price: { input: 130_000, output: 0 },
    });
    expect(codeOf(() => models(azure).resolve("azure/gpt-4.1-mini"))).toBe("model_unknown");
    expect(codeOf(() => models(azure).resolve("azure/odd"))).toBe("model_unpriced");
    expect(
      models(azure)
        .list()
        .models.map(({ id }) => id),
    ).toEqual(["azure/gpt-4o", "azure/o3-eu", "local/extractive"]);
  });

  test("is spoken to at its v1 address, with its own header", () => {
    const [resource] = providers(azure);
    expect(resource).toMatchObject({ baseUrl: "https://ours.openai.azure.com/openai/v1", preferred: "gpt-4o" });
    expect(resource?.headers).toEqual({ "Content-Type": "application/json", "api-key": "key-azure" });
    const [url] = providers({ ...azure, AZURE_OPENAI_BASE_URL: "https://eu.example/openai/v1/" });
    expect(url?.baseUrl).toBe("https://eu.example/openai/v1");
  });

  test("answers, and a reasoning model under any name gets max_completion_tokens", async () => {
    const url = inject("upstreamUrl");
    const here = settings({ ...azure, AZURE_OPENAI_BASE_URL: url });
    const { text, error } = await ask(here, "azure/o3-eu");
    expect([text, error]).toEqual(["You said: one two three four five six", undefined]);
    const [served] = await servedUnder(url, "o3-eu", "api-key key-azure");
    expect(served?.body).toMatchObject({ max_completion_tokens: 100, stream: true });
    const AZURE_OPENAI_DEPLOYMENTS = JSON.stringify({ "fail-429-retry-after": "gpt-4o", "cut-mid-stream": "gpt-4o" });
    const failing = settings({ ...azure, AZURE_OPENAI_BASE_URL: url, AZURE_OPENAI_DEPLOYMENTS });
    const busy = (await ask(failing, "azure/fail-429-retry-after")).error;
    expect([busy?.code, busy?.extras.retry_after]).toEqual(["provider_busy", 7]);
    expect((await ask(failing, "azure/cut-mid-stream")).error?.code).toBe("provider_failed");
  });

  test.each([
    [{ AZURE_OPENAI_API_KEY: undefined }, "AZURE_OPENAI_API_KEY is not set"],
    [{ AZURE_OPENAI_RESOURCE: undefined }, "AZURE_OPENAI_RESOURCE (or AZURE_OPENAI_BASE_URL) is not set"],
    [{ AZURE_OPENAI_DEPLOYMENTS: undefined }, "AZURE_OPENAI_DEPLOYMENTS names no deployment"],
    [{ AZURE_OPENAI_DEPLOYMENTS: "{}" }, "AZURE_OPENAI_DEPLOYMENTS names no deployment"],
  ])("is not offered with %o, and the list says why", (more, why) => {
    expect(whyNot({ ...azure, ...more }, "azure")).toBe(why);
    expect(codeOf(() => models({ ...azure, ...more }).resolve("azure/gpt-4o"))).toBe("model_unknown");
  });

  test.each([
    ["AZURE_OPENAI_DEPLOYMENTS", "[]"],
    ["AZURE_OPENAI_DEPLOYMENTS", "{oops"],
    ["AZURE_OPENAI_RESOURCE", "evil.example/x"],
    ["AZURE_OPENAI_BASE_URL", "ftp://x"],
  ])("%s = %s is refused by name", (name, value) => {
    expect(() => providers({ ...azure, [name]: value })).toThrow(new RegExp(`not_configured: ${name}`));
  });
});

describe("Cloudflare AI Gateway", () => {
  const through = { ...hosted, AI_GATEWAY_URL: `${GATEWAY}/`, AI_GATEWAY_TOKEN: "aig-token" };

  test("stands before OpenAI and Anthropic, and gets its token", () => {
    const [openai, anthropic] = providers(through);
    expect(openai?.baseUrl).toBe(`${GATEWAY}/openai`);
    expect(anthropic?.baseUrl).toBe(`${GATEWAY}/anthropic/v1`);
    for (const provider of [openai, anthropic]) {
      expect(provider?.headers["cf-aig-authorization"]).toBe("Bearer aig-token");
    }
  });

  test("its token goes to no other address; an address of a provider's own wins", () => {
    const MODEL_PROVIDERS = JSON.stringify([
      { id: "groq", base_url: `${GATEWAY}/groq/v1` },
      { id: "near", base_url: `${GATEWAY}-not/x` },
    ]);
    const all = providers({ ...through, MODEL_PROVIDERS, OPENAI_BASE_URL: "https://proxy.example/v1" });
    const told = all.filter(({ headers }) => "cf-aig-authorization" in headers).map(({ id }) => id);
    expect(told).toEqual(["anthropic", "groq"]);
    expect(all[0]?.baseUrl).toBe("https://proxy.example/v1");
  });
});

describe("Ollama", () => {
  test("offers what OLLAMA_MODELS says, the first one for `auto`, at no cost", () => {
    const ours = models({ OLLAMA_HOST: "127.0.0.1", OLLAMA_MODELS: " llama3.2:1b, qwen3:8b," });
    expect(ours.resolve("auto").model.info).toMatchObject({ id: "ollama/llama3.2:1b", price: { input: 0, output: 0 } });
    expect(ours.list().models.map(({ id }) => id)).toEqual([
      "ollama/llama3.2:1b",
      "ollama/qwen3:8b",
      "local/extractive",
    ]);
    expect(ours.resolve("ollama/other").model.info.priceClass).toBe("local");
  });

  test("can be turned off", () => {
    expect(whyNot({ OLLAMA_HOST: "off" }, "ollama")).toBe("OLLAMA_HOST is off");
  });
});

describe("what is passed through", () => {
  const all = models({ ...hosted, ...azure, OLLAMA_HOST: "127.0.0.1" });
  const target = (name: string) => all.passThrough(all.resolve(name).model.info);

  test("each provider speaks its own dialects at its own paths", () => {
    expect(target("openai/gpt-4o")).toMatchObject({
      dialects: ["openai-chat", "openai-responses"],
      modelName: "gpt-4o",
    });
    expect(target("openai/gpt-4o")?.url("/responses")).toBe("https://api.openai.com/v1/responses");
    expect(target("openai/gpt-4o")?.url("/messages")).toBeUndefined();
    expect(target("anthropic/claude-haiku-4-5")?.url("/messages")).toBe("https://api.anthropic.com/v1/messages");
    expect(target("anthropic/claude-haiku-4-5")?.headers).toMatchObject({
      "x-api-key": "sk-a",
      "anthropic-version": "2023-06-01",
    });
    expect(target("anthropic/claude-haiku-4-5")?.url("/embeddings")).toBeUndefined();
    expect(target("azure/o3-eu")?.dialects).toContain("openai-responses");
    expect(target("ollama/x")).toMatchObject({
      dialects: ["openai-chat"],
      headers: { "Content-Type": "application/json" },
    });
    expect(target("local/extractive")).toBeUndefined();
    const own = models({ OPENAI_BASE_URL: "http://127.0.0.1:8000/v1" });
    expect(own.passThrough(own.resolve("openai/any").model.info)?.dialects).toEqual(["openai-chat"]);
  });

  test("embedding models are found with their prices", () => {
    const { info, target } = all.embedding("text-embedding-3-small");
    expect(info).toMatchObject({
      id: "openai/text-embedding-3-small",
      price: { input: 20_000, output: 0 },
      contextTokens: 8192,
    });
    expect(target.url("/embeddings")).toBe("https://api.openai.com/v1/embeddings");
    expect(all.embedding("ollama/nomic-embed-text").info.price).toEqual({ input: 0, output: 0 });
    expect(codeOf(() => all.embedding("openai/gpt-4o"))).toBe("model_unpriced");
    expect(codeOf(() => all.embedding("anthropic/claude-haiku-4-5"))).toBe("model_unpriced");
    expect(codeOf(() => all.embedding("nothing"))).toBe("model_unknown");
    expect(codeOf(() => all.resolve("openai/text-embedding-3-small"))).toBe("model_unpriced");
  });
});
