import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { dialects } from "./dialects.ts";
import { answerOf, REASONS, randomAnswer, randomUsage, streamOf } from "./fixtures/answers.ts";
import { anthropic, encoded, FACTS, json, openai, streamed } from "./fixtures/clients.ts";

/** What the official clients put together from a stream must be what they read from the same answer given whole. */

const SEEDS = Array.from({ length: 150 }, (_, i) => i + 1);
const ASK = { model: "some/model", messages: [{ role: "user" as const, content: "Hello" }] };
const TOOLS = [{ name: "weather", input_schema: { type: "object" as const } }];

const eventsOf = (wire: string): Record<string, unknown>[] =>
  [...wire.matchAll(/^data: ([^\n]*)$/gm)].flatMap(([, data]) => (data === "[DONE]" ? [] : [JSON.parse(data ?? "")]));

describe("chat completions", () => {
  test("the client accumulates what it reads whole", async () => {
    for (const seed of SEEDS) {
      const random = randomFrom(seed);
      const answer = randomAnswer(random);
      const whole = dialects["openai-chat"].encodeWhole(answer, FACTS);
      const wire = encoded("openai-chat", streamOf(random, answer));
      const client = openai(() => streamed(random, wire));
      const chunks: OpenAI.ChatCompletionChunk[] = [];
      for await (const chunk of await client.chat.completions.create({ ...ASK, stream: true })) chunks.push(chunk);
      expect(gathered(chunks), `seed ${seed}`).toEqual(whole);
      const read = await openai(() => json(whole)).chat.completions.create(ASK);
      expect(read).toEqual(expect.objectContaining(whole));
    }
  });

  test("the client's own accumulator takes calls with their arguments", async () => {
    for (const seed of SEEDS.slice(0, 60)) {
      const random = randomFrom(seed);
      const answer = { ...randomAnswer(random), finishReason: { unified: "stop" as const, raw: undefined } };
      const whole = dialects["openai-chat"].encodeWhole(answer, FACTS) as unknown as OpenAI.ChatCompletion;
      const wire = encoded("openai-chat", streamOf(random, answer));
      const final = await openai(() => streamed(random, wire))
        .chat.completions.stream(ASK)
        .finalChatCompletion();
      const { message, finish_reason } = final.choices[0] as (typeof final.choices)[0];
      const expected = whole.choices[0] as OpenAI.ChatCompletion.Choice;
      expect(finish_reason).toBe(expected.finish_reason);
      expect(message.content ?? "").toBe(expected.message.content ?? "");
      const bare = (calls: OpenAI.ChatCompletionMessageToolCall[] = []) =>
        calls.map((call) => (call.type === "function" ? [call.id, call.function.name, call.function.arguments] : []));
      expect(bare(message.tool_calls)).toEqual(bare(expected.message.tool_calls));
      expect(final.usage).toEqual(whole.usage);
    }
  });

  test("the role comes first, usage only when asked, and [DONE] last", () => {
    const random = randomFrom(7);
    const parts = streamOf(random, randomAnswer(random));
    const plain = encoded("openai-chat", parts, { ...FACTS, includeUsage: false });
    const [first] = eventsOf(plain) as unknown as OpenAI.ChatCompletionChunk[];
    expect(first?.choices[0]?.delta.role).toBe("assistant");
    expect(plain).not.toContain('"usage"');
    expect(plain.endsWith("data: [DONE]\n\n")).toBe(true);
    const asked = eventsOf(encoded("openai-chat", parts)) as unknown as OpenAI.ChatCompletionChunk[];
    expect(asked.map(({ usage }) => usage !== null)).toEqual(asked.map((_, i) => i === asked.length - 1));
    expect(asked.at(-1)?.choices).toEqual([]);
  });
});

function gathered(chunks: OpenAI.ChatCompletionChunk[]): Record<string, unknown> {
  const message: Record<string, unknown> = { role: undefined, content: null, refusal: null };
  const calls: Record<string, unknown>[] = [];
  let finish_reason: string | null = null;
  let content = "";
  let reasoning = "";
  for (const { choices } of chunks) {
    const [choice] = choices;
    if (!choice) continue;
    const delta = choice.delta as typeof choice.delta & { reasoning_content?: string };
    if (delta.role) message.role = delta.role;
    content += delta.content ?? "";
    reasoning += delta.reasoning_content ?? "";
    for (const { index, id, type, function: called } of delta.tool_calls ?? []) {
      if (id) calls[index] = { id, type, function: { name: called?.name, arguments: "" } };
      const known = calls[index]?.function as { arguments: string };
      known.arguments += called?.arguments ?? "";
    }
    finish_reason = choice.finish_reason ?? finish_reason;
  }
  message.content = content === "" && calls.length > 0 ? null : content;
  if (reasoning !== "") message.reasoning_content = reasoning;
  if (calls.length > 0) message.tool_calls = calls;
  const { id, created, model } = chunks[0] as OpenAI.ChatCompletionChunk;
  const choices = [{ index: 0, message, logprobs: null, finish_reason }];
  return { id, object: "chat.completion", created, model, choices, usage: chunks.at(-1)?.usage };
}

describe("messages", () => {
  test("the client accumulates what it reads whole", async () => {
    for (const seed of SEEDS) {
      const random = randomFrom(seed);
      const answer = randomAnswer(random);
      const whole = dialects["anthropic-messages"].encodeWhole(answer, FACTS);
      const wire = encoded("anthropic-messages", streamOf(random, answer));
      const stream = anthropic(() => streamed(random, wire)).messages.stream({ ...ASK, max_tokens: 99, tools: TOOLS });
      const final = JSON.parse(JSON.stringify(await stream.finalMessage()));
      const { usage, ...said } = final;
      const { usage: reported, ...wanted } = whole;
      expect(said, `seed ${seed}`).toMatchObject(wanted);
      // The client takes counts from the end of the stream, except how long caches are kept.
      const { cache_creation: _, ...counts } = reported as Record<string, unknown>;
      expect(usage).toMatchObject(counts);
      const read = await anthropic(() => json(whole)).messages.create({ ...ASK, max_tokens: 99 });
      expect(read).toMatchObject(whole);
    }
  });

  test("one block is open at a time, and events come in their order", () => {
    for (const seed of SEEDS) {
      const random = randomFrom(seed);
      const wire = encoded("anthropic-messages", streamOf(random, randomAnswer(random)));
      const events = eventsOf(wire).map(({ type, index }) => `${type} ${index ?? ""}`.trim());
      const blocks = events.slice(1, -2).join("\n");
      expect(events[0]).toBe("message_start");
      expect(events.slice(-2)).toEqual(["message_delta", "message_stop"]);
      expect(`${blocks}\n`).toMatch(
        /^(content_block_start (\d+)\n(content_block_delta \2\n)+content_block_stop \2\n)*\n?$/,
      );
      for (const [, name, data] of wire.matchAll(/^event: (.*)\ndata: ([^\n]*)$/gm)) {
        expect(JSON.parse(data ?? "").type).toBe(name);
      }
    }
  });

  test("thinking keeps its signature, and what is sealed stays so", async () => {
    const parts: LanguageModelV4StreamPart[] = [
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "Hm" },
      { type: "reasoning-delta", id: "0", delta: "", providerMetadata: { anthropic: { signature: "sig" } } },
      { type: "reasoning-end", id: "0" },
      { type: "reasoning-start", id: "1", providerMetadata: { anthropic: { redactedData: "sealed" } } },
      { type: "reasoning-end", id: "1" },
      { type: "text-start", id: "2" },
      { type: "text-delta", id: "2", delta: "Yes." },
      { type: "text-end", id: "2" },
      { type: "finish", finishReason: { unified: "stop", raw: "stop_sequence" }, usage: randomUsage(randomFrom(1)) },
    ];
    const wire = encoded("anthropic-messages", parts);
    const client = anthropic(() => streamed(randomFrom(1), wire));
    const final = await client.messages.stream({ ...ASK, max_tokens: 99 }).finalMessage();
    expect(final.stop_reason).toBe("stop_sequence");
    expect(final.content).toEqual([
      { type: "thinking", thinking: "Hm", signature: "sig" },
      { type: "redacted_thinking", data: "sealed" },
      expect.objectContaining({ type: "text", text: "Yes." }),
    ]);
  });
});

describe("responses", () => {
  test("the client accumulates what it reads whole", async () => {
    for (const seed of SEEDS) {
      const random = randomFrom(seed);
      const answer = randomAnswer(random);
      const whole = dialects["openai-responses"].encodeWhole(answer, FACTS);
      const wire = encoded("openai-responses", streamOf(random, answer));
      const stream = openai(() => streamed(random, wire)).responses.stream({ model: "some/model", input: "Hello" });
      const final = JSON.parse(JSON.stringify(await stream.finalResponse()));
      expect(final, `seed ${seed}`).toMatchObject(whole);
      const read = await openai(() => json(whole)).responses.create({ model: "some/model", input: "Hello" });
      const said = answer.content.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
      expect(read.output_text).toBe(said);
    }
  });

  test("the deltas of every item make up the item, and numbers rise by one", async () => {
    for (const seed of SEEDS) {
      const random = randomFrom(seed);
      const wire = encoded("openai-responses", streamOf(random, randomAnswer(random)));
      const client = openai(() => streamed(random, wire));
      const events: OpenAI.Responses.ResponseStreamEvent[] = [];
      for await (const event of await client.responses.create({ model: "m", input: "x", stream: true }))
        events.push(event);
      expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i));
      const built: string[] = [];
      for (const event of events) {
        if ("delta" in event && typeof event.delta === "string" && "output_index" in event) {
          built[event.output_index] = (built[event.output_index] ?? "") + event.delta;
        }
      }
      const last = events.at(-1);
      if (last?.type !== "response.completed" && last?.type !== "response.incomplete") throw new Error("has no end");
      expect(built).toEqual(last.response.output.map(wordsOf));
      expect(events.filter(({ type }) => type === "response.output_item.done")).toHaveLength(built.length);
    }
  });
});

function wordsOf(item: OpenAI.Responses.ResponseOutputItem): string {
  if (item.type === "function_call") return item.arguments;
  if (item.type === "reasoning") return item.summary.map(({ text }) => text).join("");
  if (item.type !== "message") throw new Error(`unexpected item ${item.type}`);
  return item.content.map((part) => (part.type === "output_text" ? part.text : "")).join("");
}

test("no line of a stream ends where only some clients see an end", () => {
  const parts: LanguageModelV4StreamPart[] = [{ type: "text-delta", id: "0", delta: "a\u2028b\u2029c\u0085d" }];
  for (const name of ["openai-chat", "anthropic-messages", "openai-responses"] as const) {
    const wire = encoded(name, parts);
    expect(wire).toContain("a\\u2028b\\u2029c\\u0085d");
    expect(wire).not.toMatch(/[\u0085\u2028\u2029\r]/);
  }
});

describe("the end of an answer", () => {
  const usage = randomUsage(randomFrom(3));
  const text = { type: "text" as const, text: "Yes" };
  const call = { type: "tool-call" as const, toolCallId: "c1", toolName: "weather", input: "{}" };

  test.each(REASONS)("%s is said in each dialect's words", (unified) => {
    const [plain, calling] = [answerOf([text], unified, usage), answerOf([text, call], unified, usage)];
    const said = [plain, calling].map((answer) => {
      const chat = dialects["openai-chat"].encodeWhole(answer, FACTS) as unknown as OpenAI.ChatCompletion;
      const message = dialects["anthropic-messages"].encodeWhole(answer, FACTS);
      const response = dialects["openai-responses"].encodeWhole(answer, FACTS);
      return [chat.choices[0]?.finish_reason, message.stop_reason, response.status];
    });
    const cut = unified === "length" || unified === "interrupted";
    const ended = unified === "content-filter" ? ["content_filter", "refusal", "incomplete"] : undefined;
    const short = cut ? ["length", "max_tokens", "incomplete"] : undefined;
    const normal = ended ?? short ?? ["stop", "end_turn", "completed"];
    expect(said).toEqual([normal, ended ?? short ?? ["tool_calls", "tool_use", "completed"]]);
  });
});
