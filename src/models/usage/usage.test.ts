import { describe, expect, test } from "vitest";
import { costNano, type TokenPrice, type TokenUsage } from "../../ledger/money.ts";
import { findPrice } from "../prices.ts";
import anthropic from "./fixtures/anthropic.json" with { type: "json" };
import azure from "./fixtures/azure.json" with { type: "json" };
import chat from "./fixtures/openai_chat.json" with { type: "json" };
import realtime from "./fixtures/openai_realtime.json" with { type: "json" };
import responses from "./fixtures/openai_responses.json" with { type: "json" };
import workersAi from "./fixtures/workers_ai.json" with { type: "json" };
import { type Dialect, StreamedUsage, usageOf } from "./usage.ts";

/** What a provider sent, and what it comes to; `terms` is the sum as done by hand: tokens times pico-USD. */
interface Golden {
  name: string;
  model?: string;
  price?: TokenPrice;
  markupBps: number;
  answer?: unknown;
  events?: unknown[];
  usage: TokenUsage;
  terms: [number, number][];
  costNano: number;
}

const DAY = Date.parse("2026-11-20T12:00:00Z");
const files = [chat, responses, realtime, anthropic, azure, workersAi] as unknown as {
  dialect: Dialect;
  cases: Golden[];
}[];
const goldens = files.flatMap(({ dialect, cases }) => cases.map((golden) => ({ dialect, ...golden })));

function priceOf({ model = "", price }: Golden): TokenPrice {
  const slash = model.indexOf("/");
  const found = price ?? findPrice(model.slice(0, slash), model.slice(slash + 1), DAY)?.price;
  if (!found) throw new Error(`no price for ${model}`);
  return found;
}

function read(dialect: Dialect, events: readonly unknown[]): StreamedUsage {
  const streamed = new StreamedUsage(dialect);
  for (const event of events) streamed.read(event);
  return streamed;
}

describe("golden usage", () => {
  test.each(goldens)("$dialect: $name", (golden) => {
    const { dialect, answer, events } = golden;
    const usage = events ? read(dialect, events).usage : usageOf(dialect, answer);
    expect(usage).toStrictEqual(golden.usage);
    const pico = golden.terms.reduce((sum, [tokens, price]) => sum + BigInt(tokens) * BigInt(price), 0n);
    expect(BigInt(golden.costNano)).toBe((pico * BigInt(golden.markupBps) + 9_999_999n) / 10_000_000n);
    expect(costNano(golden.usage, priceOf(golden), golden.markupBps)).toBe(golden.costNano);
  });

  test("cover every class, whole and streamed, for every dialect", () => {
    const seen = new Set(goldens.flatMap(({ usage }) => Object.keys(usage)));
    expect([...seen].sort()).toEqual(
      [
        "cacheRead",
        "cacheReadAudio",
        "cacheWrite",
        "cacheWrite1h",
        "input",
        "inputAudio",
        "output",
        "outputAudio",
        "reasoning",
      ].sort(),
    );
    for (const { dialect, cases } of files) {
      expect(
        cases.some(({ answer }) => answer),
        dialect,
      ).toBe(true);
      expect(
        cases.some(({ events }) => events),
        dialect,
      ).toBe(true);
    }
  });
});

test("cached tokens are not charged as input on top (the overcharge LiteLLM is known for)", () => {
  const report = { prompt_tokens: 10_000, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 9_900 } };
  const usage = usageOf("openai-chat", { usage: report });
  expect(usage).toStrictEqual({ input: 100, output: 0, cacheRead: 9_900 });
  // 100 x 2,500,000 + 9,900 x 250,000 pico-USD; with the cached ones as input on top it would be 27,475,000 nano-USD.
  const price = { input: 2_500_000, output: 15_000_000, cacheRead: 250_000 };
  expect(costNano(usage as TokenUsage, price, 10_000)).toBe(2_725_000);
});

test("Anthropic's cached tokens are beside its input, not inside", () => {
  const usage = { input_tokens: 5, cache_read_input_tokens: 9_000, output_tokens: 1 };
  expect(usageOf("anthropic", { usage })).toStrictEqual({ input: 5, output: 1, cacheRead: 9_000 });
});

describe("a report that makes no sense is none", () => {
  const chatOf = (over: object) => ({ prompt_tokens: 10, completion_tokens: 5, ...over });
  const messageOf = (over: object) => ({ input_tokens: 10, output_tokens: 5, ...over });
  test.each<[Dialect, unknown]>([
    ["openai-chat", undefined],
    ["openai-chat", null],
    ["openai-chat", "12 tokens"],
    ["openai-chat", []],
    ["openai-chat", { usage: null }],
    ["openai-chat", { usage: {} }],
    ["openai-chat", { prompt_tokens: 10 }],
    ["openai-chat", chatOf({ prompt_tokens: -1 })],
    ["openai-chat", chatOf({ prompt_tokens: 1.5 })],
    ["openai-chat", chatOf({ prompt_tokens: "10" })],
    ["openai-chat", chatOf({ completion_tokens: 1e9 + 1 })],
    ["openai-chat", chatOf({ completion_tokens: Number.MAX_VALUE })],
    ["openai-chat", chatOf({ prompt_tokens_details: { cached_tokens: 11 } })],
    ["openai-chat", chatOf({ prompt_tokens_details: { cached_tokens: -1 } })],
    ["openai-chat", chatOf({ prompt_tokens_details: { cached_tokens: "3" } })],
    ["openai-chat", chatOf({ prompt_tokens_details: { cached_tokens: 6, cache_write_tokens: 5 } })],
    ["openai-chat", chatOf({ prompt_tokens_details: { audio_tokens: 11 } })],
    ["openai-chat", chatOf({ completion_tokens_details: { reasoning_tokens: 6 } })],
    ["openai-chat", chatOf({ completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 3 } })],
    ["openai-responses", messageOf({ input_tokens_details: { cached_tokens: 11 } })],
    ["openai-responses", messageOf({ output_tokens_details: { reasoning_tokens: 6 } })],
    ["openai-realtime", { response: { usage: messageOf({ output_token_details: { audio_tokens: 6 } }) } }],
    [
      "openai-realtime",
      messageOf({ input_token_details: { cached_tokens: 2, cached_tokens_details: { audio_tokens: 3 } } }),
    ],
    ["openai-realtime", { type: "response.done", response: { status: "failed", usage: null } }],
    ["anthropic", messageOf({ output_tokens: undefined })],
    ["anthropic", messageOf({ cache_read_input_tokens: 0.5 })],
    ["anthropic", messageOf({ cache_creation_input_tokens: 5, cache_creation: { ephemeral_1h_input_tokens: 6 } })],
    ["anthropic", messageOf({ output_tokens_details: { thinking_tokens: 6 } })],
    ["workers-ai", { result: { response: "x" } }],
    ["azure", { usage: { total_tokens: 3 } }],
  ])("%s %j", (dialect, raw) => {
    expect(usageOf(dialect, raw)).toBeNull();
  });

  test("details that are null or of another kind are no details", () => {
    const report = chatOf({ prompt_tokens_details: null, completion_tokens_details: [3] });
    expect(usageOf("openai-chat", report)).toStrictEqual({ input: 10, output: 5 });
  });
});

describe("a stream", () => {
  const start = { type: "message_start", message: { usage: { input_tokens: 50, output_tokens: 2 } } };

  test("that is cut says that its report may be too low", () => {
    const cut = read("anthropic", [start, { type: "content_block_delta" }]);
    expect(cut.usage).toStrictEqual({ input: 50, output: 2 });
    expect(cut.complete).toBe(false);
    const whole = read("anthropic", [start, { type: "message_delta", usage: { output_tokens: 90 } }]);
    expect(whole.usage).toStrictEqual({ input: 50, output: 90 });
    expect(whole.complete).toBe(true);
  });

  test("without a report has none, whatever else it holds", () => {
    const events = [null, 3, "x", [], {}, { choices: [] }, { usage: null }, { prompt_tokens: 3, completion_tokens: 4 }];
    const streamed = read("openai-chat", events);
    expect(streamed.usage).toBeNull();
    expect(streamed.complete).toBe(false);
  });

  test("of a server that counts along: the last report holds", () => {
    const chunks = [1, 2, 3].map((n) => ({ usage: { prompt_tokens: 9, completion_tokens: n } }));
    expect(read("openai-chat", chunks).usage).toStrictEqual({ input: 9, output: 3 });
  });
});
