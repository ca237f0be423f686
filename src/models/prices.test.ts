import { calcPrice, findProvider } from "@pydantic/genai-prices";
import { describe, expect, test } from "vitest";
import { buildPriceBook } from "../../scripts/prices.ts";
import { costNano, MARKUP_BPS } from "../ledger/money.ts";
import { findPrice, picoPerToken, priceBook } from "./prices.ts";

const day = new Date(`${priceBook.as_of}T12:00:00Z`);

describe("the committed price book", () => {
  test("is what the pinned package gives", () => {
    expect(buildPriceBook(priceBook.as_of)).toStrictEqual(priceBook);
  });

  test("agrees with the package's own calculation for every exact name and prefix", () => {
    let compared = 0;
    for (const [providerId, entries] of Object.entries(priceBook.providers)) {
      for (const entry of entries) {
        const dated = (entry.dated ?? []).flatMap((name) =>
          providerId === "openai" ? `${name}-2026-09-01` : `${name}-20260901`,
        );
        for (const name of [...entry.names, ...(entry.prefixes ?? []), ...dated]) {
          const usage = { input_tokens: 1_000, output_tokens: 500 };
          const theirs = calcPrice(usage, name, { provider: findProvider({ providerId }), timestamp: day });
          const price = findPrice(providerId, name)?.price;
          expect(price, name).toBeDefined();
          if (!price) continue;
          const ours = costNano({ input: 1_000, output: 500 }, price, MARKUP_BPS.local);
          expect(Math.round((theirs?.total_price ?? -1) * 1e9), name).toBe(ours);
          compared++;
        }
      }
    }
    expect(compared).toBeGreaterThan(120);
  });

  test("1,000 in and 500 out on Claude 3.5 Sonnet cost 10.5 mUSD, with the cloud markup 10.815", () => {
    const usage = { input: 1_000, output: 500 };
    const price = findPrice("anthropic", "claude-3-5-sonnet-20241022")?.price;
    if (!price) throw new Error("no price");
    expect(costNano(usage, price, 10_000)).toBe(10_500_000);
    expect(costNano(usage, price, MARKUP_BPS.cloud)).toBe(10_815_000);
  });

  test("leaves out what is not a chat model, and what has another price than tokens", () => {
    for (const name of ["text-embedding-3-small", "gpt-4o-audio-preview", "whisper-1", "gpt-4o-mini-search-preview"]) {
      expect(findPrice("openai", name), name).toBeUndefined();
    }
    for (const name of ["gpt-4o-minimal", "gpt-4o-mini-2", "", "claude", "o3x"]) {
      expect(findPrice("openai", name), name).toBeUndefined();
    }
  });

  test("a price that rises with the prompt carries the length up to which it holds", () => {
    expect(findPrice("openai", "gpt-5.4")?.inputLimit).toBe(271_999);
    expect(findPrice("openai", "gpt-4o-mini")?.inputLimit).toBeUndefined();
  });

  test("a price that changes on a day is the one of that day", () => {
    const on = (date: string) =>
      buildPriceBook(date).providers.openai?.find(({ id }) => id === "gpt-5.6-luna")?.price.input;
    expect(on("2026-07-29")).toBe(1_000_000);
    expect(on("2026-07-30")).toBe(200_000);
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
