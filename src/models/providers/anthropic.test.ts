import { env } from "cloudflare:test";
import { describe, expect, inject, test } from "vitest";
import { ask, freeOfPrice, LEAK, question, servedUnder } from "../../../test/provider_run.ts";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { estimatePrompt, estimateTokens } from "../tokens.ts";
import type { ChatMessage, ModelRequest } from "../types.ts";

const upstreamUrl = inject("upstreamUrl");
const KEY = "sk-anthropic-chat-tests";

const settings = (more: Partial<Env> = {}): Env => ({
  ...(env as unknown as Env),
  ANTHROPIC_BASE_URL: upstreamUrl,
  ANTHROPIC_API_KEY: KEY,
  PROVIDER_TIMEOUT_MS: "2500",
  ...more,
});
const run = (model: string, more: Partial<ModelRequest> = {}, also: Partial<Env> = {}) =>
  ask(settings({ MODEL_PRICES: freeOfPrice(`anthropic/${model}`), ...also }), `anthropic/${model}`, more);
const lastBody = async (model: string) => (await servedUnder(upstreamUrl, model, KEY)).at(-1)?.body;

describe("answers", () => {
  test.each([true, false])("streamed %s: its text, then the usage it reported", async (streamed) => {
    const { events, text, error } = await run("claude-haiku-4-5", { streamed });
    expect(error).toBeUndefined();
    expect(text).toBe("You said: one two three four five six");
    expect(events).toHaveLength(streamed ? 9 : 2);
    expect(events.at(-1)).toEqual({
      type: "finish",
      reason: "stop",
      usage: { input: 10, output: 8 },
      estimated: false,
    });
    expect(await lastBody("claude-haiku-4-5")).toEqual({
      model: "claude-haiku-4-5",
      messages: question,
      max_tokens: 100,
      ...(streamed ? { stream: true } : {}),
    });
  });

  test.each([true, false])("streamed %s: cache reads, and writes of both kinds, are told apart", async (streamed) => {
    const { events } = await run("cache-11-22-33-44-55", { streamed });
    expect(events.at(-1)).toMatchObject({
      usage: { input: 11, cacheRead: 22, cacheWrite: 33, cacheWrite1h: 44, output: 55 },
      estimated: false,
    });
  });

  test("pings and events of tomorrow are passed over", async () => {
    const { text, error } = await run("pings");
    expect([text, error]).toEqual(["You said: one two three four five six", undefined]);
  });

  test("an answer that comes whole though a stream was asked for, and one without its last word", async () => {
    expect((await run("never-streams")).events.at(-1)).toMatchObject({ usage: { input: 10, output: 8 } });
    const { events, error } = await run("no-message-stop");
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ reason: "stop", estimated: false });
  });

  test.each([true, false])("streamed %s: nonsense for a usage is counted here and says so", async (streamed) => {
    const { events, text } = await run("nonsense-usage", { streamed });
    expect(text).not.toBe("");
    expect(events.at(-1)).toMatchObject({ usage: { input: estimatePrompt(question) }, estimated: true });
  });

  test("the limit ends it with `length`", async () => {
    expect((await run("claude-haiku-4-5", { maxOutputTokens: 3 })).events.at(-1)).toMatchObject({
      reason: "length",
      usage: { output: 3 },
    });
  });
});

describe("the prompt", () => {
  test("instructions stand apart; what is empty is left out; the first turn is the user's", async () => {
    const messages: ChatMessage[] = [
      { role: "system", content: "Be brief." },
      { role: "assistant", content: "Hello" },
      { role: "user", content: " " },
      { role: "system", content: "In English." },
      { role: "user", content: "one" },
      { role: "assistant", content: "The answer is \n" },
    ];
    const { error } = await run("claude-prompt", { messages });
    expect(error).toBeUndefined();
    expect(await lastBody("claude-prompt")).toMatchObject({
      system: "Be brief.\n\nIn English.",
      messages: [
        { role: "user", content: "…" },
        { role: "assistant", content: "Hello" },
        { role: "user", content: "one" },
        { role: "assistant", content: "The answer is" },
      ],
    });
  });

  test("temperature: at most 1, and none for models that refuse it", async () => {
    expect((await run("claude-sonnet-4-5", { temperature: 1.7 })).error).toBeUndefined();
    expect(await lastBody("claude-sonnet-4-5")).toMatchObject({ temperature: 1 });
    await run("claude-opus-5", { temperature: 0.5 });
    expect(await lastBody("claude-opus-5")).not.toHaveProperty("temperature");
  });
});

describe("a provider that fails before it answered", () => {
  test.each([
    ["fail-400", "invalid_input"],
    ["fail-400-context", "context_too_long"],
    ["fail-401", "provider_refused"],
    ["fail-413", "context_too_long"],
    ["fail-429", "provider_busy"],
    ["fail-429-retry-after", "provider_busy"],
    ["fail-500", "provider_failed"],
    ["fail-529", "provider_busy"],
    ["wrong-content-type", "provider_failed"],
    ["slow-first-byte", "provider_timeout"],
  ])("%s is %s, billed nothing, leaks nothing", async (model, code) => {
    for (const streamed of [true, false]) {
      const { events, error } = await run(model, { streamed });
      expect(events).toEqual([]);
      expect(error).toBeInstanceOf(WaypostError);
      expect(error?.code).toBe(code);
      expect(error?.extras).not.toHaveProperty("usage");
      expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(LEAK);
      if (code === "provider_busy") expect(error?.extras.retry_after).toBe(model.endsWith("retry-after") ? 7 : 5);
    }
  });

  test("nobody listens", async () => {
    const { error } = await run("claude-haiku-4-5", {}, { ANTHROPIC_BASE_URL: "http://127.0.0.1:9" });
    expect(error?.code).toBe("provider_unreachable");
  });
});

describe("an answer that breaks", () => {
  test.each([
    ["cut-mid-stream", "provider_failed"],
    ["end-mid-stream", "provider_failed"],
    ["malformed-chunk", "provider_failed"],
    ["nonsense-chunk", "provider_failed"],
    ["error-mid-stream", "provider_failed"],
    ["overloaded-mid-stream", "provider_busy"],
    ["silent-mid-stream", "provider_timeout"],
    ["huge-line", "provider_failed"],
  ])("%s is %s and carries the provider's count of the prompt and ours of the answer", async (model, code) => {
    const { events, text, error } = await run(model);
    expect(text).toBe("You said: one two ");
    expect(error?.code).toBe(code);
    const output = events.reduce((sum, event) => sum + (event.type === "delta" ? estimateTokens(event.text) : 0), 0);
    expect(error?.extras.usage).toEqual({ input: 10, output });
    expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(LEAK);
  });

  test.each([
    ["cut-mid-stream", "provider_failed"],
    ["end-mid-stream", "provider_failed"],
    ["nonsense-chunk", "provider_failed"],
    ["error-mid-stream", "provider_failed"],
    ["silent-mid-stream", "provider_timeout"],
  ])("%s, asked whole, is %s, and nothing of it is shown or counted", async (model, code) => {
    const { events, error } = await run(model, { streamed: false });
    expect(events).toEqual([]);
    expect(error?.code).toBe(code);
    expect(error?.extras).not.toHaveProperty("usage");
  });

  test("cancelled before the first byte", async () => {
    const client = new AbortController();
    setTimeout(() => client.abort(), 50);
    const { error } = await run("slow-first-byte", { signal: client.signal });
    expect(error?.code).toBe("client_closed");
  });
});
