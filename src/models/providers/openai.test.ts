import { env } from "cloudflare:test";
import { describe, expect, inject, test } from "vitest";
import { freeOfPrice } from "../../../test/provider_run.ts";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { createModels } from "../catalogue.ts";
import { estimatePrompt, estimateTokens } from "../tokens.ts";
import type { ChatMessage, ModelEvent, ModelRequest } from "../types.ts";

const upstreamUrl = inject("upstreamUrl");
/** Tells this file's requests from those of others in the provider's log. */
const KEY = "sk-models-tests";
const question: ChatMessage[] = [{ role: "user", content: "one two three four five six" }];

interface Served {
  model: string;
  usage: object | null;
  pieces: number;
  authorization: string | null;
  body: Record<string, unknown>;
}

const served = async (model: string, authorization: string | null = `Bearer ${KEY}`): Promise<Served[]> => {
  const log = (await (await fetch(`${upstreamUrl}/log`)).json()) as Served[];
  return log.filter((entry) => entry.model === model && entry.authorization === authorization);
};

function settings(more: Partial<Env> = {}): Env {
  return { ...(env as unknown as Env), OPENAI_BASE_URL: `${upstreamUrl}/v1`, OPENAI_API_KEY: KEY, ...more };
}

function request(more: Partial<ModelRequest> = {}): ModelRequest {
  return {
    messages: question,
    passages: [],
    maxOutputTokens: 100,
    streamed: true,
    signal: new AbortController().signal,
    ...more,
  };
}

async function run(name: string, more: Partial<Env> = {}, asked: Partial<ModelRequest> = {}) {
  const events: ModelEvent[] = [];
  let error: unknown;
  try {
    for await (const event of createModels(settings({ MODEL_PRICES: freeOfPrice(name), ...more }))
      .resolve(name)
      .model.stream(request(asked)))
      events.push(event);
  } catch (thrown) {
    error = thrown;
  }
  const text = events.map((event) => (event.type === "delta" ? event.text : "")).join("");
  return { events, text, error: error as WaypostError | undefined };
}

describe("answers", () => {
  test("streams pieces, then the usage the provider reported", async () => {
    const { events, text, error } = await run("openai/gpt-4o-mini");
    expect(error).toBeUndefined();
    expect(text).toBe("You said: one two three four five six");
    expect(events.filter((event) => event.type === "delta")).toHaveLength(8);
    expect(events.at(-1)).toEqual({
      type: "finish",
      reason: "stop",
      usage: { input: 10, output: 8 },
      estimated: false,
    });
    const [entry] = await served("gpt-4o-mini");
    expect(entry?.authorization).toBe(`Bearer ${KEY}`);
    expect(entry?.body).toMatchObject({ stream: true, stream_options: { include_usage: true }, max_tokens: 100 });
  });

  test("splits cached tokens off the prompt's", async () => {
    const { events } = await run("openai/cached-tokens");
    expect(events.at(-1)).toMatchObject({ usage: { input: 5, cacheRead: 5, output: 8 }, estimated: false });
  });

  test.each(["no-usage", "nonsense-usage"])("%s: counts itself and says so", async (model) => {
    const { events, text } = await run(`openai/${model}`);
    const output = events
      .map((event) => (event.type === "delta" ? estimateTokens(event.text) : 0))
      .reduce((sum, tokens) => sum + tokens, 0);
    expect(text).not.toBe("");
    expect(events.at(-1)).toMatchObject({ usage: { input: estimatePrompt(question), output }, estimated: true });
  });

  test("asked whole, the answer comes as one piece, with the usage the provider reported", async () => {
    const { events, error } = await run("openai/gpt-4.1-mini", {}, { streamed: false });
    expect(error).toBeUndefined();
    expect(events).toEqual([
      { type: "delta", text: "You said: one two three four five six" },
      { type: "finish", reason: "stop", usage: { input: 10, output: 8 }, estimated: false },
    ]);
    const [entry] = await served("gpt-4.1-mini");
    expect(entry?.body).not.toHaveProperty("stream");
    expect(entry?.body).toMatchObject({ max_tokens: 100 });
  });

  test.each(["no-usage", "nonsense-usage"])("%s, asked whole: counts itself and says so", async (model) => {
    const { events, text } = await run(`openai/${model}`, {}, { streamed: false });
    const usage = { input: estimatePrompt(question), output: estimateTokens(text) };
    expect(events.at(-1)).toMatchObject({ usage, estimated: true });
  });

  test.each([
    ["always-streams", false, 8],
    ["never-streams", true, 1],
  ])("a server that %s is understood", async (model, streamed, deltas) => {
    const { events, text } = await run(`openai/${model}`, {}, { streamed });
    expect(text).toBe("You said: one two three four five six");
    expect(events).toHaveLength(deltas + 1);
    expect(events.at(-1)).toMatchObject({ usage: { input: 10, output: 8 }, estimated: false });
  });

  test("a stream of other line ends, comments and split characters is the same stream", async () => {
    const asked = { messages: [{ role: "user" as const, content: "Zürich 東京 🌊 once" }] };
    const { text, events, error } = await run("openai/odd-stream", {}, asked);
    expect(error).toBeUndefined();
    expect(text).toBe("You said: Zürich 東京 🌊 once");
    expect(events.at(-1)).toMatchObject({ reason: "stop", estimated: false });
  });

  test("a stream without its last word is whole when nothing is missing from it", async () => {
    const { events, error } = await run("openai/no-done");
    expect(error).toBeUndefined();
    expect(events.at(-1)).toMatchObject({ usage: { input: 10, output: 8 }, estimated: false });
  });

  test("one that says why it ended is whole, without its last word and a report", async () => {
    const { events, text, error } = await run("openai/reason-only");
    expect([text, error]).toEqual(["You said: one two three four five six", undefined]);
    expect(events.at(-1)).toMatchObject({
      reason: "stop",
      usage: { input: estimatePrompt(question) },
      estimated: true,
    });
  });

  test("a limit on the output ends the answer with `length`", async () => {
    const { text, events } = await run("openai/gpt-4o-mini", {}, { maxOutputTokens: 3 });
    expect(text).toBe("You said: one ");
    expect(events.at(-1)).toMatchObject({ reason: "length", usage: { output: 3 } });
  });

  test("a reasoning model gets max_completion_tokens and no temperature", async () => {
    await run("openai/gpt-5-mini", {}, { temperature: 0.2 });
    const [entry] = await served("gpt-5-mini");
    expect(entry?.body).toMatchObject({ max_completion_tokens: 100 });
    expect(entry?.body).not.toHaveProperty("max_tokens");
    expect(entry?.body).not.toHaveProperty("temperature");
  });

  test("a provider without a key gets no Authorization header", async () => {
    await run("openai/keyless", { OPENAI_API_KEY: undefined });
    expect(await served("keyless", null)).toHaveLength(1);
  });
});

describe("a provider that fails before it answered", () => {
  test.each([
    ["fail-400", "invalid_input"],
    ["fail-400-context", "context_too_long"],
    ["fail-401", "provider_refused"],
    ["fail-403", "provider_refused"],
    ["fail-404", "provider_refused"],
    ["fail-422", "invalid_input"],
    ["fail-302", "provider_refused"],
    ["fail-408", "provider_timeout"],
    ["fail-429", "provider_busy"],
    ["fail-429-quota", "provider_refused"],
    ["fail-500", "provider_failed"],
    ["fail-503", "provider_failed"],
    ["fail-503-retry-after", "provider_busy"],
    ["wrong-content-type", "provider_failed"],
  ])("%s is %s, billed nothing, leaks nothing", async (model, code) => {
    const { events, error } = await run(`openai/${model}`);
    const whole = await run(`openai/${model}`, {}, { streamed: false });
    expect(whole.events).toEqual([]);
    expect([whole.error?.code, whole.error?.detail]).toEqual([error?.code, error?.detail]);
    expect(events).toEqual([]);
    expect(error).toBeInstanceOf(WaypostError);
    expect(error?.code).toBe(code);
    expect(error?.extras).not.toHaveProperty("usage");
    expect(error?.detail).toContain(model);
    expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(/secret|sk-|127\.0\.0\.1|http/);
    expect(await served(model)).toHaveLength(2);
  });

  test("busy: passes Retry-After on, in seconds, milliseconds or as a date", async () => {
    expect((await run("openai/fail-429-retry-after")).error?.extras.retry_after).toBe(7);
    const date = (await run("openai/fail-429-retry-date")).error?.extras.retry_after;
    expect(date).toBeGreaterThan(20);
    expect(date).toBeLessThanOrEqual(31);
    expect((await run("openai/fail-429")).error?.extras.retry_after).toBe(5);
    const { error } = await run("openai/fail-429-retry-ms");
    expect(error).toMatchObject({ waitS: 1.5, extras: { retry_after: 2 } });
    expect((await run("openai/fail-503-retry-after")).error?.extras.retry_after).toBe(7);
  });

  test("nobody listens", async () => {
    const { error } = await run("openai/gpt-4o-mini", { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" });
    expect(error?.code).toBe("provider_unreachable");
  });

  test("no such host", async () => {
    const { error } = await run("openai/gpt-4o-mini", { OPENAI_BASE_URL: "http://nowhere.invalid/v1" });
    expect(error?.code).toBe("provider_unreachable");
  });

  test("a slow first byte times out", async () => {
    const { events, error } = await run("openai/slow-first-byte", { PROVIDER_TIMEOUT_MS: "200" });
    expect(events).toEqual([]);
    expect(error?.code).toBe("provider_timeout");
    expect(error?.extras).not.toHaveProperty("usage");
  });
});

describe("a stream that breaks", () => {
  test.each([
    ["cut-mid-stream", "provider_failed"],
    ["end-mid-stream", "provider_failed"],
    ["malformed-chunk", "provider_failed"],
    ["nonsense-chunk", "provider_failed"],
    ["error-chunk", "provider_failed"],
    ["silent-mid-stream", "provider_timeout"],
    ["huge-line", "provider_failed"],
    ["endless", "provider_failed"],
  ])("%s is %s and carries what was produced", async (model, code) => {
    const { events, text, error } = await run(`openai/${model}`, { PROVIDER_TIMEOUT_MS: "4000" });
    expect(text.startsWith("You said: one two ")).toBe(true);
    expect(text.length).toBeLessThan(model === "endless" ? 17 * 1024 * 1024 : 100);
    expect(events.every((event) => event.type === "delta")).toBe(true);
    expect(error?.code).toBe(code);
    const output = events.reduce((sum, event) => sum + (event.type === "delta" ? estimateTokens(event.text) : 0), 0);
    expect(error?.extras.usage).toEqual({ input: estimatePrompt(question), output: Math.min(output, 100) });
    expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(/secret|sk-|127\.0\.0\.1|http/);
  });
});

describe("an answer asked whole that breaks", () => {
  test.each([
    ["cut-mid-stream", "provider_failed"],
    ["end-mid-stream", "provider_failed"],
    ["malformed-chunk", "provider_failed"],
    ["nonsense-chunk", "provider_failed"],
    ["error-chunk", "provider_failed"],
    ["silent-mid-stream", "provider_timeout"],
    ["endless", "provider_failed"],
  ])("%s is %s, and nothing of it is shown or counted", async (model, code) => {
    const { events, error } = await run(`openai/${model}`, { PROVIDER_TIMEOUT_MS: "4000" }, { streamed: false });
    expect(events).toEqual([]);
    expect(error?.code).toBe(code);
    expect(error?.extras).not.toHaveProperty("usage");
    expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(/secret|sk-|127\.0\.0\.1|http/);
  });
});

describe("cancelling", () => {
  test("before the first byte", async () => {
    const client = new AbortController();
    setTimeout(() => client.abort(), 50);
    const { error } = await run("openai/slow-first-byte", {}, { signal: client.signal });
    expect(error?.code).toBe("client_closed");
    expect(error?.extras).not.toHaveProperty("usage");
  });

  test("in the middle: stops the provider and counts what came", async () => {
    const client = new AbortController();
    const words = Array.from({ length: 200 }, (_, i) => `w${i}`).join(" ");
    const long: ChatMessage[] = [{ role: "user", content: words }];
    setTimeout(() => client.abort(), 400);
    const asked = { messages: long, signal: client.signal, maxOutputTokens: 1000 };
    const { events, error } = await run("openai/slow-words", {}, asked);
    expect(error?.code).toBe("client_closed");
    expect(events.length).toBeGreaterThan(0);
    expect(error?.extras.usage).toMatchObject({ input: estimatePrompt(long) });
    await expect.poll(async () => (await served("slow-words"))[0]?.pieces).toBeLessThan(200);
  });

  test("a reader that stops reading closes the connection", async () => {
    const words = Array.from({ length: 200 }, (_, i) => `w${i}`).join(" ");
    const { model } = createModels(settings({ MODEL_PRICES: freeOfPrice("openai/slow-words-left") })).resolve(
      "openai/slow-words-left",
    );
    const asked = request({ messages: [{ role: "user", content: words }], maxOutputTokens: 1000 });
    for await (const event of model.stream(asked)) if (event.type === "delta") break;
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = (await served("slow-words-left"))[0]?.pieces;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await served("slow-words-left"))[0]?.pieces).toBe(before);
  });
});
