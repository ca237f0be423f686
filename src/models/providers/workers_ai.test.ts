import { env } from "cloudflare:test";
import { describe, expect, inject, test } from "vitest";
import { ask, LEAK, question } from "../../../test/provider_run.ts";
import type { Env } from "../../env.ts";
import { createModels } from "../catalogue.ts";
import { estimateTokens } from "../tokens.ts";
import type { ModelRequest } from "../types.ts";
import type { AiBinding } from "./workers_ai.ts";

const upstreamUrl = inject("upstreamUrl");
const runs: Parameters<AiBinding["run"]>[] = [];

/** Of the binding's shape; what it asks is asked of the stand-in, over a socket. */
const binding: AiBinding = {
  run: (model, inputs, options) => {
    runs.push([model, inputs, options]);
    const newer = model.includes("gpt-oss");
    const path = newer ? "v1/chat/completions" : encodeURIComponent(model);
    const body = JSON.stringify({ ...inputs, ...(newer ? { model: "echo" } : {}) });
    return fetch(`${upstreamUrl}/workers-ai/${path}`, { method: "POST", body, signal: options?.signal ?? null });
  },
};

const NAMES = ["fail-429", "fail-500", "wrong-content-type", "cut-mid-stream", "end-mid-stream", "malformed-chunk"];
const MORE = ["error-chunk", "silent-mid-stream", "huge-line", "no-usage", "cached-tokens"];
const price = { input: "1", output: "2" };
const MODEL_PRICES = JSON.stringify(
  Object.fromEntries([...NAMES, ...MORE].map((name) => [`workers-ai/@cf/test/${name}`, price])),
);
const settings = (more: Partial<Env> = {}): Env => ({
  ...(env as unknown as Env),
  AI: binding,
  MODEL_PRICES,
  PROVIDER_TIMEOUT_MS: "2500",
  ...more,
});
const run = (model: string, more: Partial<ModelRequest> = {}) => ask(settings(), `workers-ai/${model}`, more);

describe("answers", () => {
  test.each([
    ["@cf/meta/llama-3.1-8b-instruct", true, 9],
    ["@cf/meta/llama-3.1-8b-instruct", false, 2],
    ["@cf/openai/gpt-oss-20b", true, 9],
    ["@cf/openai/gpt-oss-20b", false, 2],
  ])("%s, streamed %s", async (model, streamed, events) => {
    const answer = await run(model, { streamed });
    expect(answer.error).toBeUndefined();
    expect(answer.text).toBe("You said: one two three four five six");
    expect(answer.events).toHaveLength(events);
    const usage = { input: 10, output: 8 };
    expect(answer.events.at(-1)).toEqual({ type: "finish", reason: "stop", usage, estimated: false });
    const [asked, inputs, options] = runs.at(-1) ?? [];
    expect(asked).toBe(model);
    const streaming = { stream: true, stream_options: { include_usage: true } };
    expect(inputs).toEqual({ messages: question, max_tokens: 100, ...(streamed ? streaming : {}) });
    expect(options).toMatchObject({ returnRawResponse: true });
  });

  test("an answer as long as was allowed was cut", async () => {
    for (const streamed of [true, false]) {
      const { events } = await run("@cf/meta/llama-3.1-8b-instruct", { maxOutputTokens: 3, streamed });
      expect(events.at(-1)).toMatchObject({ reason: "length", usage: { output: 3 } });
    }
  });

  test("goes through the gateway that is configured", async () => {
    const AI_GATEWAY_URL = "https://gateway.ai.cloudflare.com/v1/acc/my-gateway";
    await ask(settings({ AI_GATEWAY_URL }), "workers-ai/@cf/meta/llama-3.1-8b-instruct");
    expect(runs.at(-1)?.[2]?.gateway).toEqual({ id: "my-gateway" });
  });
});

describe("failures", () => {
  test.each([
    ["fail-429", "provider_busy"],
    ["fail-500", "provider_failed"],
    ["wrong-content-type", "provider_failed"],
  ])("%s is %s, billed nothing, leaks nothing", async (name, code) => {
    for (const streamed of [true, false]) {
      const { events, error } = await run(`@cf/test/${name}`, { streamed });
      expect(events).toEqual([]);
      expect(error?.code).toBe(code);
      expect(error?.extras).not.toHaveProperty("usage");
      expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(LEAK);
    }
  });

  test.each([
    ["cut-mid-stream", "provider_failed"],
    ["end-mid-stream", "provider_failed"],
    ["malformed-chunk", "provider_failed"],
    ["error-chunk", "provider_failed"],
    ["silent-mid-stream", "provider_timeout"],
    ["huge-line", "provider_failed"],
  ])("%s is %s and carries what was produced", async (name, code) => {
    const { events, text, error } = await run(`@cf/test/${name}`);
    expect(text).toBe("You said: one two ");
    expect(error?.code).toBe(code);
    const output = events.reduce((sum, event) => sum + (event.type === "delta" ? estimateTokens(event.text) : 0), 0);
    expect(error?.extras.usage).toMatchObject({ output });
    expect(JSON.stringify([error?.detail, error?.extras])).not.toMatch(LEAK);
    const whole = await run(`@cf/test/${name}`, { streamed: false });
    expect([whole.events, whole.error?.code]).toEqual([[], code]);
  });

  test("a binding that throws", async () => {
    const AI: AiBinding = { run: () => Promise.reject(new Error("3040: secret capacity")) };
    const { error } = await ask(settings({ AI }), "workers-ai/@cf/meta/llama-3.1-8b-instruct");
    expect(error?.code).toBe("provider_unreachable");
    expect(error?.detail).not.toMatch(LEAK);
  });
});

describe("embeddings", () => {
  const { info, target } = createModels(settings()).embedding("workers-ai/@cf/baai/bge-m3");
  const embed = async (body: object) => {
    const init = { method: "POST", headers: target.headers, body: JSON.stringify({ model: info.name, ...body }) };
    return (await target.fetch(target.url("/embeddings") ?? "", init)).json();
  };

  test("are OpenAI's list, as numbers or in base64", async () => {
    expect(info.price).toMatchObject({ input: 12_000, output: 0 });
    expect(await embed({ input: ["ab", "abc"] })).toMatchObject({
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [2, 0.5, -1.25] },
        { object: "embedding", index: 1, embedding: [3, 0.5, -1.25] },
      ],
    });
    const { data } = (await embed({ input: "ab", encoding_format: "base64" })) as { data: { embedding: string }[] };
    const bytes = Uint8Array.from(atob(data[0]?.embedding ?? ""), (character) => character.charCodeAt(0));
    expect([...new Float32Array(bytes.buffer)]).toEqual([2, 0.5, -1.25]);
  });
});

test("without the binding it is not offered, and the list says why", () => {
  const { models, unavailable } = createModels({ ...(env as unknown as Env), AI: undefined }).list();
  expect(models.some(({ provider }) => provider === "workers-ai")).toBe(false);
  expect(unavailable.find(({ provider }) => provider === "workers-ai")?.why).toContain("no AI binding");
});
