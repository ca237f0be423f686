import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import { expect, test } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { usageOf } from "../usage/usage.ts";
import { dialects, toTokenUsage } from "./dialects.ts";
import { answerOf, randomUsage } from "./fixtures/answers.ts";
import { FACTS } from "./fixtures/clients.ts";

const NONE = { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined };
const NO_OUTPUT = { total: undefined, text: undefined, reasoning: undefined };
const sum = (counts: object): number => Object.values(counts).reduce((all: number, each: number) => all + each, 0);

test("the classes add up to what was read and written, none twice", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const usage = randomUsage(randomFrom(seed));
    expect(sum(toTokenUsage(usage))).toBe((usage.inputTokens.total ?? 0) + (usage.outputTokens.total ?? 0));
  }
});

test("totals alone are split", () => {
  const usage = {
    inputTokens: { ...NONE, total: 100, cacheRead: 90 },
    outputTokens: { ...NO_OUTPUT, total: 50, reasoning: 20 },
  };
  expect(toTokenUsage(usage)).toEqual({ input: 10, cacheRead: 90, output: 30, reasoning: 20 });
});

test("nothing reported is nothing, and nonsense is nothing", () => {
  expect(toTokenUsage({ inputTokens: NONE, outputTokens: NO_OUTPUT })).toEqual({ input: 0, output: 0 });
  const odd = { inputTokens: { ...NONE, total: -5 }, outputTokens: { ...NO_OUTPUT, total: Number.NaN } };
  expect(toTokenUsage(odd)).toEqual({ input: 0, output: 0 });
});

test("the provider's own report goes first, in whichever dialect", () => {
  const neutral = randomUsage(randomFrom(1));
  const raws: [NonNullable<LanguageModelV4Usage["raw"]>, object][] = [
    [
      {
        prompt_tokens: 100,
        completion_tokens: 50,
        prompt_tokens_details: { cached_tokens: 60, audio_tokens: 10 },
        completion_tokens_details: { reasoning_tokens: 20 },
      },
      { input: 30, cacheRead: 60, inputAudio: 10, output: 30, reasoning: 20 },
    ],
    [
      {
        input_tokens: 5,
        output_tokens: 50,
        cache_read_input_tokens: 60,
        cache_creation_input_tokens: 35,
        cache_creation: { ephemeral_1h_input_tokens: 30, ephemeral_5m_input_tokens: 5 },
      },
      { input: 5, cacheRead: 60, cacheWrite: 5, cacheWrite1h: 30, output: 50 },
    ],
    [
      { input_tokens: 5, output_tokens: 50, output_tokens_details: { thinking_tokens: 20 } },
      { input: 5, output: 30, reasoning: 20 },
    ],
    [
      {
        input_tokens: 100,
        output_tokens: 50,
        input_tokens_details: { cached_tokens: 60 },
        output_tokens_details: { reasoning_tokens: 20 },
      },
      { input: 40, cacheRead: 60, output: 30, reasoning: 20 },
    ],
  ];
  for (const [raw, usage] of raws) expect(toTokenUsage({ ...neutral, raw })).toEqual(usage);
  const contradicting = { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 11 } };
  expect(toTokenUsage({ ...neutral, raw: contradicting })).toEqual(toTokenUsage(neutral));
});

test("what is told in a dialect is read back as what it was", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const usage = randomUsage(randomFrom(seed));
    const answer = answerOf([], "stop", usage);
    const { inputTokens, outputTokens } = usage;
    const told = (name: keyof typeof dialects) => dialects[name].encodeWhole(answer, FACTS);
    for (const name of ["openai-chat", "openai-responses"] as const) {
      expect(usageOf(name, told(name)), name).toEqual(toTokenUsage(usage));
    }
    expect(usageOf("anthropic", told("anthropic-messages"))).toEqual(toTokenUsage(usage));
    const chat = told("openai-chat").usage as Record<string, unknown>;
    const message = told("anthropic-messages").usage as Record<string, unknown>;
    expect([chat.prompt_tokens, chat.completion_tokens]).toEqual([inputTokens.total, outputTokens.total]);
    expect([message.input_tokens, message.output_tokens]).toEqual([inputTokens.noCache, outputTokens.total]);
  }
});

test("an hour's cache writes are told apart", () => {
  const raw = {
    input_tokens: 1,
    output_tokens: 1,
    cache_creation_input_tokens: 35,
    cache_creation: { ephemeral_1h_input_tokens: 30 },
  };
  const answer = answerOf([], "stop", { ...randomUsage(randomFrom(1)), raw });
  expect(dialects["anthropic-messages"].encodeWhole(answer, FACTS).usage).toMatchObject({
    cache_creation_input_tokens: 35,
    cache_creation: { ephemeral_5m_input_tokens: 5, ephemeral_1h_input_tokens: 30 },
  });
});
