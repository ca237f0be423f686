import { env } from "cloudflare:test";
import { describe, expect, test, vi } from "vitest";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { createModels } from "./catalogue.ts";
import { Markups } from "./markups.ts";
import { isPrivateHost } from "./providers/base_url.ts";
import { boundTokens, estimatePrompt } from "./tokens.ts";

const none: Partial<Env> = {
  OPENAI_API_KEY: undefined,
  OPENAI_BASE_URL: undefined,
  ANTHROPIC_API_KEY: undefined,
  ANTHROPIC_BASE_URL: undefined,
  OLLAMA_HOST: undefined,
  MODEL_PROVIDERS: undefined,
  MODEL_PRICES: undefined,
  MARKUPS: undefined,
  DEFAULT_MODEL: undefined,
};
const settings = (more: Partial<Env>): Env => ({ ...(env as unknown as Env), ...none, ...more });
const models = (more: Partial<Env> = {}) => createModels(settings(more));
const info = (name: string, more: Partial<Env> = {}) => models(more).resolve(name).model.info;

function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    if (error instanceof WaypostError) return error.code;
    throw error;
  }
  return undefined;
}

const openai = { OPENAI_API_KEY: "sk-x" };
const anthropic = { ANTHROPIC_API_KEY: "sk-y" };
const loopback = { OPENAI_BASE_URL: "http://127.0.0.1:1234/v1" };
const custom = (more: object) => ({
  MODEL_PROVIDERS: JSON.stringify([{ id: "mine", base_url: "https://models.example.com/v1", ...more }]),
});

describe("a name that was resolved", () => {
  const local = custom({ local: true });

  test("is found again as it was, until the day ends", () => {
    const offered = models(local);
    const found = offered.resolve("mine/tiny");
    expect(offered.resolve("mine/tiny")).toBe(found);
    const clock = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 86_400_000);
    expect(offered.resolve("mine/tiny")).not.toBe(found);
    expect(offered.resolve("mine/tiny")).toEqual({ ...found, model: { ...found.model, stream: expect.any(Function) } });
    clock.mockRestore();
  });

  test("is forgotten among very many, and one of any length is never kept", () => {
    const offered = models(local);
    const found = offered.resolve("mine/tiny");
    const long = `mine/${"x".repeat(1_000)}`;
    expect(offered.resolve(long)).not.toBe(offered.resolve(long));
    expect(offered.resolve("mine/tiny")).toBe(found);
    for (let i = 0; i < 1_000; i++) offered.resolve(`mine/tiny-${i}`);
    expect(offered.resolve("mine/tiny")).not.toBe(found);
  });
});

describe("auto", () => {
  test("is local/extractive when nothing is configured, and says so", () => {
    const { model, why } = models().resolve("auto");
    expect(model.info.id).toBe("local/extractive");
    expect(why).toBe("auto: no provider is configured");
  });

  test("is the first configured provider's smallest known model", () => {
    expect(info("auto", { ...openai, ...anthropic }).id).toBe("openai/gpt-4o-mini");
    expect(info("auto", anthropic).id).toBe("anthropic/claude-haiku-4-5");
    expect(info("auto", custom({ local: true, models: [{ name: "tiny" }] })).id).toBe("mine/tiny");
  });

  test("is DEFAULT_MODEL when that is set", () => {
    const { model, why } = models({ ...openai, DEFAULT_MODEL: "gpt-4o" }).resolve("auto");
    expect(model.info.id).toBe("openai/gpt-4o");
    expect(why).toBe("auto: DEFAULT_MODEL");
    expect(codeOf(() => models({ DEFAULT_MODEL: "openai/gpt-4o" }).resolve("auto"))).toBe("model_unknown");
  });

  test("does not guess what somebody's own server has", () => {
    const { model, why } = models({ OLLAMA_HOST: "localhost", ...loopback }).resolve("auto");
    expect(model.info.id).toBe("local/extractive");
    expect(why).toContain("DEFAULT_MODEL is not set");
  });
});

describe("names", () => {
  test("a bare name goes to the provider that knows it", () => {
    expect(info("gpt-4o-mini", { ...anthropic, ...openai }).id).toBe("openai/gpt-4o-mini");
    expect(info("claude-sonnet-4-5-20250929", { ...anthropic, ...openai }).provider).toBe("anthropic");
    expect(info("meta/tiny", custom({ local: true, models: [{ name: "meta/tiny" }] })).id).toBe("mine/meta/tiny");
  });

  test("an unknown one is refused with what is offered", () => {
    for (const name of ["gpt-4o-mini", "openai/gpt-4o-mini", "nonsense", "/", "openai/", "local/other"]) {
      expect(
        codeOf(() => models(anthropic).resolve(name)),
        name,
      ).toBe("model_unknown");
    }
    expect(() => models(anthropic).resolve("x")).toThrow(/auto, local\/extractive, anthropic\/claude-haiku-4-5/);
  });

  test("a name without a price is refused, never free", () => {
    expect(codeOf(() => models(openai).resolve("openai/gpt-99"))).toBe("model_unpriced");
    expect(codeOf(() => models(custom({})).resolve("mine/anything"))).toBe("model_unpriced");
    const notLocal = { MODEL_PROVIDERS: JSON.stringify([{ id: "m", base_url: "http://127.0.0.1:1", local: false }]) };
    expect(codeOf(() => models(notLocal).resolve("m/x"))).toBe("model_unpriced");
  });
});

describe("prices", () => {
  test("cloud models carry the book's price and the cloud markup", () => {
    expect(info("claude-3-5-sonnet-20241022", anthropic)).toMatchObject({
      priceClass: "cloud",
      markupBps: 10_300,
      price: { input: 3_000_000, output: 15_000_000, cacheRead: 300_000 },
      contextTokens: 200_000,
      maxOutputTokens: 8192,
    });
  });

  test("a model the book knows has its price wherever it runs; others on a private host are local", () => {
    expect(info("openai/gpt-4o-mini", loopback)).toMatchObject({ priceClass: "cloud", price: { input: 150_000 } });
    expect(info("openai/qwen3", loopback)).toMatchObject({
      priceClass: "local",
      markupBps: 10_000,
      price: { input: 0, output: 0 },
    });
    const elsewhere = { OPENAI_BASE_URL: "https://proxy.example.com/v1" };
    expect(codeOf(() => models(elsewhere).resolve("openai/qwen3"))).toBe("model_unpriced");
  });

  test("a key of a provider that charges is not free of price behind a proxy on a private host", () => {
    const keyed = models({ OPENAI_API_KEY: "sk-ours", ...loopback });
    expect(() => keyed.resolve("openai/my-finetune")).toThrow("model_unpriced");
    expect(keyed.resolve("openai/gpt-4o-mini").model.info.priceClass).toBe("cloud");
    expect(keyed.priceOf("openai", "my-finetune")).toBeUndefined();
    const prices = JSON.stringify({ "openai/my-finetune": { input: "0", output: "0" } });
    expect(
      models({ OPENAI_API_KEY: "sk-ours", ...loopback, MODEL_PRICES: prices }).resolve("openai/my-finetune"),
    ).toBeTruthy();
  });

  test("what is declared local costs nothing", () => {
    expect(info("ollama/gpt-4o-mini", { OLLAMA_HOST: "https://gpu.example.com" })).toMatchObject({
      priceClass: "local",
      price: { input: 0, output: 0 },
    });
    expect(info("mine/x", custom({ local: true })).priceClass).toBe("local");
  });

  test("MODEL_PRICES goes before everything", () => {
    const MODEL_PRICES = JSON.stringify({
      "mine/x": { input: "0.1", output: "0.25", cache_read: "0.01" },
      "openai/gpt-4o-mini": { input: "1", output: "2" },
    });
    expect(info("mine/x", { ...custom({}), MODEL_PRICES })).toMatchObject({
      priceClass: "cloud",
      price: { input: 100_000, output: 250_000, cacheRead: 10_000 },
    });
    expect(info("gpt-4o-mini", { ...openai, MODEL_PRICES }).price).toEqual({
      input: 1_000_000,
      output: 2_000_000,
      version: "MODEL_PRICES",
    });
    expect(info("x", { ...custom({}), MODEL_PRICES }).id).toBe("mine/x");
  });

  test("MODEL_PRICES takes every class, and tiers", () => {
    const MODEL_PRICES = JSON.stringify({
      "mine/x": {
        input: "1",
        output: "2",
        cache_read: "0.1",
        cache_write: "1.25",
        cache_write_1h: "2.5",
        input_audio: "10",
        cache_read_audio: "0.3",
        output_audio: "20",
        reasoning: "1.5",
        tiers: [
          { above: 1000, input: "3", output: "4" },
          { above: 2000, input: "5", output: "6", cache_read: "0.5" },
        ],
      },
    });
    expect(info("mine/x", { ...custom({}), MODEL_PRICES }).price).toEqual({
      input: 1_000_000,
      output: 2_000_000,
      cacheRead: 100_000,
      cacheWrite: 1_250_000,
      cacheWrite1h: 2_500_000,
      inputAudio: 10_000_000,
      cacheReadAudio: 300_000,
      outputAudio: 20_000_000,
      reasoning: 1_500_000,
      tiers: [
        { above: 1_000, input: 3_000_000, output: 4_000_000 },
        { above: 2_000, input: 5_000_000, output: 6_000_000, cacheRead: 500_000 },
      ],
      version: "MODEL_PRICES",
    });
  });

  test("a model of Azure or Workers AI has its price under the provider's id", () => {
    const under = (id: string) => ({
      MODEL_PROVIDERS: JSON.stringify([{ id, base_url: "https://models.example.com/v1", api_key: "k" }]),
    });
    expect(info("azure/gpt-4o", under("azure")).price.input).toBe(2_500_000);
    expect(info("workers-ai/@cf/moonshotai/kimi-k2.6", under("workers-ai")).price.cacheRead).toBe(160_000);
    expect(codeOf(() => models(under("azure")).resolve("azure/gpt-realtime-2"))).toBe("model_unpriced");
    expect(models(under("azure")).list().models).toHaveLength(1);
    expect(models(under("workers-ai")).list().models.length).toBeGreaterThan(20);
  });

  test("priceOf knows models that are not offered, at any time", () => {
    const july = Date.parse("2026-07-01T00:00:00Z");
    expect(models().priceOf("openai", "gpt-realtime-2")).toMatchObject({
      priceClass: "cloud",
      markupBps: 10_300,
      price: { inputAudio: 32_000_000 },
    });
    expect(models().priceOf("openai", "gpt-5.6-luna", july)?.price.input).toBe(1_000_000);
    expect(models().priceOf("openai", "gpt-99")).toBeUndefined();
    expect(models(custom({ local: true })).priceOf("mine", "x")).toMatchObject({
      priceClass: "local",
      price: { input: 0 },
    });
    const MODEL_PRICES = '{"elsewhere/x":{"input":"1","output":"2"}}';
    expect(models({ MODEL_PRICES }).priceOf("elsewhere", "x")?.price.output).toBe(2_000_000);
  });

  test("declared windows hold", () => {
    const declared = custom({ local: true, models: [{ name: "a", context: 2048, max_output: 512 }] });
    expect(info("a", declared)).toMatchObject({ contextTokens: 2048, maxOutputTokens: 512 });
  });
});

describe("MARKUPS", () => {
  const MARKUPS = JSON.stringify({
    cloud: "1.05",
    local: "1.001",
    plans: { enterprise: { cloud: "1.00" }, free: { knowledge: "2" } },
    models: { "openai/gpt-4o": "1.1" },
  });
  const all = { ...openai, ...custom({ local: true, models: [{ name: "x" }] }), MARKUPS };

  test("of a model go before those of a plan, and these before those of the class", () => {
    expect(info("gpt-4o-mini", all)).toMatchObject({ markupBps: 10_500, planMarkups: { enterprise: 10_000 } });
    expect(info("gpt-4o", all).markupBps).toBe(11_000);
    expect(info("gpt-4o", all).planMarkups).toBeUndefined();
    expect(info("mine/x", all)).toMatchObject({ markupBps: 10_010 });
    expect(info("mine/x", all).planMarkups).toBeUndefined();
  });

  test("leave the built-in ones where they say nothing", () => {
    expect(info("gpt-4o", openai)).toMatchObject({ markupBps: 10_300 });
    const markups = new Markups({ MARKUPS });
    expect(markups.of("knowledge", "any/model")).toEqual({ markupBps: 13_000, planMarkups: { free: 20_000 } });
    expect(new Markups({}).of("knowledge", "any/model")).toEqual({ markupBps: 13_000 });
  });
});

describe("settings", () => {
  test.each([
    ["MODEL_PROVIDERS", "{nope"],
    ["MODEL_PROVIDERS", "{}"],
    ["MODEL_PROVIDERS", '[{"id": "a"}]'],
    ["MODEL_PROVIDERS", '[{"id": "a", "base_url": "ftp://x"}]'],
    ["MODEL_PROVIDERS", '[{"id": "local", "base_url": "http://x"}]'],
    ["MODEL_PROVIDERS", '[{"id": "a", "base_url": "http://x"}, {"id": "a", "base_url": "http://x"}]'],
    ["MODEL_PRICES", "[]x"],
    ["MODEL_PRICES", '{"a/b": {"input": 1, "output": 2}}'],
    ["MODEL_PRICES", '{"a/b": {"input": "1"}}'],
    ["MODEL_PRICES", '{"a/b": {"input": "-1", "output": "2"}}'],
    ["MODEL_PRICES", '{"a/b": {"input": "1", "output": "2", "tiers": [{"above": 5, "input": "1"}]}}'],
    [
      "MODEL_PRICES",
      '{"a/b":{"input":"1","output":"2","tiers":[{"above":5,"input":"1","output":"2"},{"above":5,"input":"1","output":"2"}]}}',
    ],
    ["MARKUPS", "1.03"],
    ["MARKUPS", "{"],
    ["MARKUPS", '{"cloud": 1.03}'],
    ["MARKUPS", '{"cloud": "-1"}'],
    ["MARKUPS", '{"cloud": "1.00001"}'],
    ["MARKUPS", '{"cluod": "1"}'],
    ["MARKUPS", '{"plans": {"pro": {"models": {}}}}'],
    ["OPENAI_BASE_URL", "nowhere"],
    ["OPENAI_BASE_URL", "http://user:secret@host/v1"],
    ["PROVIDER_TIMEOUT_MS", "soon"],
    ["PROVIDER_TIMEOUT_MS", "0"],
  ])("%s = %s is refused by name", (setting, value) => {
    try {
      models({ [setting]: value });
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "not_configured", detail: expect.stringMatching(new RegExp(`^${setting}`)) });
      expect((error as Error).message).not.toContain("secret");
    }
  });

  test("are read once per environment", () => {
    const one = settings(openai);
    expect(createModels(one)).toBe(createModels(one));
    expect(createModels(one)).not.toBe(createModels(settings(openai)));
  });

  test("list names what is offered and why the rest is not", () => {
    const { models: offered, unavailable } = models(anthropic).list();
    expect(offered.map(({ id }) => id)).toContain("anthropic/claude-haiku-4-5");
    expect(offered.at(-1)?.id).toBe("local/extractive");
    expect(unavailable).toContainEqual({ provider: "openai", why: "OPENAI_API_KEY is not set" });
    const unpriced = models(custom({ models: [{ name: "big" }] })).list();
    expect(unpriced.unavailable).toContainEqual({ provider: "mine", why: "mine/big has no price in MODEL_PRICES" });
  });

  test.each([
    ["127.0.0.1", true],
    ["10.1.2.3", true],
    ["172.31.0.1", true],
    ["172.32.0.1", false],
    ["[::1]", true],
    ["[fd00::1]", true],
    ["[2001:db8::1]", false],
    ["ollama", true],
    ["gpu.local", true],
    ["api.openai.com", false],
    ["10.example.com", false],
  ])("%s private: %s", (host, expected) => {
    expect(isPrivateHost(host)).toBe(expected);
  });
});

test("boundTokens is never below bytes, nor below the estimate", () => {
  for (const content of ["", "hello", "żółć", "漢字かな", "🦊🦊", "a".repeat(10_000), "\u0000\uffff"]) {
    const messages = [{ role: "user" as const, content }];
    expect(boundTokens(messages)).toBeGreaterThan(new TextEncoder().encode(content).length);
    expect(boundTokens(messages)).toBeGreaterThan(estimatePrompt(messages));
  }
});
