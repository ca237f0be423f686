import { calcPrice, findProvider } from "@pydantic/genai-prices";
import { describe, expect, test } from "vitest";
import { buildPriceBook } from "../../scripts/prices.ts";
import { costNano, MARKUP_BPS, type TokenPrice } from "../ledger/money.ts";
import { findPrice, picoPerToken, priceBook } from "./prices.ts";

const day = new Date(`${priceBook.as_of}T12:00:00Z`);

describe("the committed price book", () => {
  test("is what the pinned package gives", () => {
    expect(buildPriceBook(priceBook.as_of)).toStrictEqual(priceBook);
  });

  /** Theirs counts cached and audio tokens in the totals too. Whole thousands come to whole nano-USD. */
  const USAGES = [
    { input: 1_000, output: 2_000 },
    { input: 3_000, output: 1_000, cacheRead: 5_000 },
    { input: 2_000, output: 1_000, cacheRead: 198_000 },
    { input: 3_000, output: 1_000, cacheRead: 198_000 },
    { input: 300_000, output: 4_000, cacheRead: 7_000 },
  ];
  const theirUsage = ({ input, output, cacheRead = 0 }: (typeof USAGES)[number]) => ({
    input_tokens: input + cacheRead,
    output_tokens: output,
    ...(cacheRead > 0 ? { cache_read_tokens: cacheRead } : {}),
  });

  test.each(["openai", "anthropic", "azure", "workers-ai"])("agrees with the package's own calculation: %s", (ours) => {
    const provider = findProvider({ providerId: ours === "workers-ai" ? "cloudflare" : ours });
    let compared = 0;
    for (const entry of priceBook.providers[ours] ?? []) {
      const dated = (entry.dated ?? []).map((name) => `${name}-${ours === "openai" ? "2026-09-01" : "20260901"}`);
      const proper = (name: string) => (entry.id.toLowerCase() === name ? entry.id : name);
      for (const name of [...entry.names, ...(entry.prefixes ?? []), ...dated]) {
        const price = findPrice(ours, name, day.getTime())?.price;
        if (!price) throw new Error(`${name} is not found by its own name`);
        for (const usage of USAGES) {
          if (usage.cacheRead && price.cacheRead === undefined) continue;
          const theirs = calcPrice(theirUsage(usage), proper(name), { provider, timestamp: day });
          expect(Math.round((theirs?.total_price ?? -1) * 1e9), name).toBe(costNano(usage, price, MARKUP_BPS.local));
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(25);
  });

  test("agrees with the package on cache writes and audio", () => {
    const cases = [
      ["anthropic", "claude-sonnet-4-5", { cache_write_tokens: 9_000, cache_write_1h_tokens: 4_000 }],
      ["anthropic", "claude-sonnet-4-5", { cache_write_tokens: 250_000, cache_write_1h_tokens: 40_000 }],
      ["openai", "gpt-6-sol", { cache_write_tokens: 280_000 }],
    ] as const;
    for (const [providerId, name, written] of cases) {
      const hour = "cache_write_1h_tokens" in written ? written.cache_write_1h_tokens : 0;
      const all = written.cache_write_tokens;
      const options = { provider: findProvider({ providerId }), timestamp: day };
      const theirs = calcPrice({ input_tokens: all + 1_000, output_tokens: 2_000, ...written }, name, options);
      const ours = { input: 1_000, output: 2_000, cacheWrite: all - hour, cacheWrite1h: hour };
      const price = findPrice(providerId, name, day.getTime())?.price as TokenPrice;
      expect(costNano(ours, price, 10_000), name).toBe(Math.round((theirs?.total_price ?? -1) * 1e9));
    }
    const theirs = calcPrice(
      {
        input_tokens: 9_000,
        input_audio_tokens: 6_000,
        cache_read_tokens: 3_000,
        cache_audio_read_tokens: 2_000,
        output_tokens: 5_000,
        output_audio_tokens: 4_000,
      },
      "gpt-realtime-2",
      { provider: findProvider({ providerId: "openai" }), timestamp: day },
    );
    const ours = {
      input: 2_000,
      cacheRead: 1_000,
      inputAudio: 4_000,
      cacheReadAudio: 2_000,
      output: 1_000,
      outputAudio: 4_000,
    };
    const price = findPrice("openai", "gpt-realtime-2", day.getTime())?.price as TokenPrice;
    expect(costNano(ours, price, 10_000)).toBe(Math.round((theirs?.total_price ?? -1) * 1e9));
  });

  test("1,000 in and 500 out on Claude 3.5 Sonnet cost 10.5 mUSD, with the cloud markup 10.815", () => {
    const usage = { input: 1_000, output: 500 };
    const price = findPrice("anthropic", "claude-3-5-sonnet-20241022")?.price;
    if (!price) throw new Error("no price");
    expect(costNano(usage, price, 10_000)).toBe(10_500_000);
    expect(costNano(usage, price, MARKUP_BPS.cloud)).toBe(10_815_000);
  });

  test("leaves out what has another price than tokens", () => {
    for (const name of ["gpt-image-1", "gpt-4o-audio-preview", "whisper-1", "gpt-4o-mini-search-preview"]) {
      expect(findPrice("openai", name), name).toBeUndefined();
    }
    for (const name of ["gpt-4o-minimal", "gpt-4o-mini-2", "", "claude", "o3x"]) {
      expect(findPrice("openai", name), name).toBeUndefined();
    }
  });

  test("embedding models cost for what they read", () => {
    expect(findPrice("openai", "text-embedding-3-small")).toMatchObject({
      chat: false,
      embeds: true,
      price: { input: 20_000, output: 0 },
    });
    expect(findPrice("azure", "text-embedding-ada-002")?.price.input).toBe(100_000);
    expect(findPrice("workers-ai", "@cf/baai/bge-m3")?.embeds).toBe(true);
    expect(findPrice("workers-ai", "@cf/baai/bge-reranker-base")).toBeUndefined();
  });

  test("says which models are not for chat", () => {
    for (const name of ["gpt-realtime-2", "gpt-audio", "gpt-5-pro", "gpt-5-codex", "codex-mini", "gpt-4o-transcribe"]) {
      expect(findPrice("openai", name)?.chat, name).toBe(false);
    }
    for (const name of ["gpt-4o", "gpt-5", "o3", "gpt-6-sol"]) expect(findPrice("openai", name)?.chat).toBeUndefined();
    expect(findPrice("workers-ai", "@cf/deepseek-ai/deepseek-v4-pro-0813")?.chat).toBeUndefined();
  });

  test("a price that rises with the prompt has a tier with every class", () => {
    expect(findPrice("openai", "gpt-5.4")?.price).toMatchObject({
      input: 2_500_000,
      tiers: [{ above: 271_999, input: 5_000_000, output: 22_500_000, cacheRead: 500_000 }],
    });
    expect(findPrice("openai", "gpt-4o-mini")?.price.tiers).toBeUndefined();
    for (const entry of Object.values(priceBook.providers).flat()) {
      for (const { tiers = [], from: _, ...base } of entry.prices) {
        for (const tier of tiers) expect(Object.keys(tier).sort()).toEqual([...Object.keys(base), "above"].sort());
      }
    }
  });

  test("a price that changes on a day is the one of the day of the call, and says so", () => {
    const on = (day: string) => findPrice("openai", "gpt-5.6-luna", Date.parse(day))?.price;
    expect(on("2026-07-29T23:59:59.999Z")).toMatchObject({
      input: 1_000_000,
      version: "@pydantic/genai-prices 0.1.8, 2026-11-20",
    });
    expect(on("2026-07-30T00:00:00Z")).toMatchObject({
      input: 200_000,
      version: "@pydantic/genai-prices 0.1.8, from 2026-07-30",
    });
    expect(findPrice("anthropic", "claude-sonnet-4-6", Date.parse("2026-03-12T12:00:00Z"))?.price.tiers).toHaveLength(
      1,
    );
    expect(
      findPrice("anthropic", "claude-sonnet-4-6", Date.parse("2026-03-13T12:00:00Z"))?.price.tiers,
    ).toBeUndefined();
  });

  test("Azure sells its own models, and those of others at their price", () => {
    expect(findPrice("azure", "phi-4")?.price.input).toBe(70_000);
    expect(findPrice("azure", "gpt-4o")?.price).toEqual(findPrice("openai", "gpt-4o")?.price);
    expect(findPrice("openai", "phi-4")).toBeUndefined();
  });
});

describe("picoPerToken", () => {
  test.each([
    ["3", 3_000_000],
    ["0.075", 75_000],
    ["3.125", 3_125_000],
    ["0.000001", 1],
    ["0", 0],
    ["1.10", 1_100_000],
  ])("%s USD per million", (text, pico) => {
    expect(picoPerToken(text)).toBe(pico);
  });

  test.each(["", "-1", "1e-7", "0.0000001", "1,5", "NaN", ".5", "9999999999", " 1"])("refuses %j", (text) => {
    expect(() => picoPerToken(text)).toThrow(RangeError);
  });
});
