import { createAnthropic } from "@ai-sdk/anthropic";
import { describe, expect, test } from "vitest";
import { maxOutput, takesTemperature } from "./limits.ts";
import { priceBook } from "./prices.ts";

/** What the pinned library would send of a request that leaves the limit open and asks for a temperature. */
async function sentBy(name: string): Promise<{ max_tokens: number; temperature?: number }> {
  let sent = "";
  const fetch = async (_: RequestInfo | URL, init?: RequestInit) => {
    sent = String(init?.body);
    const usage = { input_tokens: 1, output_tokens: 1 };
    return Response.json({
      id: "m",
      type: "message",
      role: "assistant",
      model: name,
      content: [],
      stop_reason: "end_turn",
      usage,
    });
  };
  const model = createAnthropic({ apiKey: "k", fetch }).languageModel(name);
  await model.doGenerate({ prompt: [{ role: "user", content: [{ type: "text", text: "x" }] }], temperature: 0.5 });
  return JSON.parse(sent);
}

const names = (priceBook.providers.anthropic ?? []).map(({ id }) => id).filter((id) => !id.startsWith("claude-3"));

describe("Anthropic's limits are those of the pinned library", () => {
  test("there are models to compare", () => expect(names.length).toBeGreaterThan(10));

  test.each(names)("%s", async (id) => {
    // The library knows models by the names that the API takes.
    const name = id.replace(/-4-0$/, "-4-20250514");
    const { max_tokens, temperature } = await sentBy(name);
    expect(maxOutput("anthropic", name)).toBe(max_tokens);
    expect(takesTemperature(name)).toBe(temperature !== undefined);
  });
});

test("a model nothing is known of gets a limit that is safe", () => {
  expect(maxOutput("compatible", "gpt-4o")).toBe(4096);
  expect(maxOutput("azure", "gpt-4o")).toBe(16_384);
});
