import OpenAI from "openai";
import { zodResponseFormat } from "openai/helpers/zod";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { dropInWorld, type World } from "./drop_in_world.ts";

/** OpenAI's own client against the drop-in endpoints: its only change is the base URL. */

let world: World;
let client: OpenAI;
beforeAll(async () => {
  world = await dropInWorld();
  client = new OpenAI({ baseURL: `${world.waypost.url}/v1`, apiKey: world.waypost.apiKey, maxRetries: 0 });
});
afterAll(() => world?.stop());

const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const ask = (content: string) => [{ role: "user" as const, content }];
const weather = {
  type: "function" as const,
  function: { name: "weather", parameters: { type: "object", properties: { question: { type: "string" } } } },
};

describe.each(["paid/echo", "anthropic/echo"])("chat completions of %s", (model) => {
  test("whole, with usage, and billed by it", async () => {
    const answer = await client.chat.completions.create({ model, messages: ask("high tide"), max_tokens: 50 });
    expect(answer.choices[0]?.message.content).toContain("high tide");
    expect(answer.usage?.total_tokens).toBe(
      (answer.usage?.prompt_tokens as number) + (answer.usage?.completion_tokens as number),
    );
    expect(answer._request_id).toMatch(/^req_/);
    const line = await world.lastCall();
    expect(line).toMatchObject({ tool: "chat_completions", status: "ok", estimated: false });
    expect(line.input_tokens).toBe(answer.usage?.prompt_tokens);
    expect(line.output_tokens).toBe(answer.usage?.completion_tokens);
  });

  test.each([true, false])("streamed, usage asked for: %s", async (include_usage) => {
    const stream = await client.chat.completions.create({
      model,
      messages: ask("one two three"),
      stream: true,
      ...(include_usage ? { stream_options: { include_usage } } : {}),
    });
    let text = "";
    let reports = 0;
    let reason: string | null = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      reason = chunk.choices[0]?.finish_reason ?? reason;
      if (chunk.usage) reports++;
    }
    expect(text).toContain("one two three");
    expect([reports, reason]).toEqual([include_usage ? 1 : 0, "stop"]);
    expect(await world.lastCall()).toMatchObject({ tool: "chat_completions", status: "ok", estimated: false });
  });

  test("tools, there and back", async () => {
    const messages: OpenAI.ChatCompletionMessageParam[] = ask("is it raining?");
    const first = await client.chat.completions.create({ model, messages, tools: [weather] });
    const call = first.choices[0]?.message.tool_calls?.[0];
    expect(first.choices[0]?.finish_reason).toBe("tool_calls");
    if (call?.type !== "function") throw new Error("no call");
    expect(Object.keys(JSON.parse(call.function.arguments))).toHaveLength(1);
    messages.push(first.choices[0]?.message as OpenAI.ChatCompletionMessage);
    messages.push({ role: "tool", tool_call_id: call.id, content: "dry" });
    const second = await client.chat.completions.create({ model, messages, tools: [weather] });
    expect(second.choices[0]?.finish_reason).toBe("stop");
    expect(JSON.stringify(world.upstream.log.at(-1)?.body)).toContain("dry");
  });

  test("streamed tools come together in the client", async () => {
    const stream = client.chat.completions.stream({ model, messages: ask("is it raining?"), tools: [weather] });
    const call = (await stream.finalMessage()).tool_calls?.[0];
    if (call?.type !== "function") throw new Error("no call");
    expect([call.function.name, Object.keys(JSON.parse(call.function.arguments)).length]).toEqual(["weather", 1]);
  });

  test("a picture", async () => {
    const content = [
      { type: "text" as const, text: "what is this?" },
      { type: "image_url" as const, image_url: { url: PIXEL } },
    ];
    const answer = await client.chat.completions.create({ model, messages: [{ role: "user", content }] });
    expect(answer.choices[0]?.message.content).toContain("what is this?");
    const seen = JSON.stringify(world.upstream.log.at(-1)?.body);
    expect(seen).toContain("image");
    expect(seen).toContain(PIXEL.split(",")[1]);
  });
});

test("structured output, parsed by the client", async () => {
  const Tide = z.object({ place: z.string(), metres: z.number() });
  const answer = await client.chat.completions.parse({
    model: "paid/echo",
    messages: ask("Hull"),
    response_format: zodResponseFormat(Tide, "tide"),
  });
  expect(answer.choices[0]?.message.parsed).toEqual({ place: "Hull", metres: 7 });
});

test("several answers of one request are billed together", async () => {
  const answer = await client.chat.completions.create({
    model: "paid/tokens-10-60",
    messages: ask("a"),
    n: 2,
    max_tokens: 40,
  });
  expect(answer.usage?.completion_tokens).toBe(60);
  expect((await world.lastCall()).output_tokens).toBe(60);
});

/** What failed for one test is not held against the providers in the next. */
const eachAfresh = () =>
  beforeEach(async () => {
    client = client.withOptions({ apiKey: await world.freshAccount() });
  });

describe("errors are the client's own kinds", () => {
  eachAfresh();
  const create = (model: string, more: object = {}) =>
    client.chat.completions.create({ model, messages: ask("a"), ...more }).then(
      () => null,
      (error) => error as InstanceType<typeof OpenAI.APIError>,
    );

  test.each([
    ["nobody/none", OpenAI.NotFoundError, "model_unknown"],
    ["paid/fail-400", OpenAI.BadRequestError, "invalid_input"],
    ["paid/fail-400-context", OpenAI.BadRequestError, "context_too_long"],
    ["paid/fail-429-retry-after", OpenAI.APIError, "provider_busy"],
    ["paid/fail-500", OpenAI.InternalServerError, "provider_failed"],
    ["paid/fail-401", OpenAI.APIError, "provider_refused"],
    ["paid/wrong-content-type", OpenAI.InternalServerError, "provider_failed"],
    ["paid/nonsense-chunk", OpenAI.InternalServerError, "provider_failed"],
    ["paid/cut-mid-stream", OpenAI.InternalServerError, "provider_failed"],
  ])("%s, whole and streamed before its first byte", async (model, kind, code) => {
    for (const stream of model.includes("-stream") || model.includes("chunk") ? [false] : [false, true]) {
      const error = await create(model, { stream });
      expect(error).toBeInstanceOf(kind);
      expect(JSON.stringify(error?.error)).toContain(code);
      expect(JSON.stringify(error?.error)).not.toContain("secret");
      expect(error?.requestID).toMatch(/^req_/);
    }
    // What is refused before it is admitted is no call.
    if (code !== "model_unknown") expect((await world.lastCall()).cost_nano).toBe(0);
  });

  test("a bad key, and how long to wait", async () => {
    const stranger = new OpenAI({ baseURL: client.baseURL, apiKey: "sk-nobody", maxRetries: 0 });
    await expect(stranger.chat.completions.create({ model: "paid/echo", messages: ask("a") })).rejects.toBeInstanceOf(
      OpenAI.AuthenticationError,
    );
    const busy = await create("paid/fail-429-retry-after");
    expect(busy?.headers?.get("retry-after")).toBe("7");
  });

  test("fields that would not be billed, or lead to what others keep", async () => {
    for (const more of [{ web_search_options: {} }, { service_tier: "priority" }]) {
      const before = world.upstream.log.length;
      expect(await create("paid/echo", more)).toBeInstanceOf(OpenAI.BadRequestError);
      expect(world.upstream.log).toHaveLength(before);
    }
  });

  test.each(["paid/cut-mid-stream", "paid/error-chunk", "paid/end-mid-stream"])(
    "%s after the first byte: the client throws, and nothing is billed",
    async (model) => {
      const stream = await client.chat.completions.create({ model, messages: ask("a b c d e f"), stream: true });
      let text = "";
      const read = async () => {
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? "";
      };
      await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      expect(text).toContain("You said");
      expect(await world.lastCall()).toMatchObject({ status: "provider_failed", cost_nano: 0 });
    },
  );
});

test("what may succeed is tried again here and by the client, and nothing else", async () => {
  client = client.withOptions({ apiKey: await world.freshAccount() });
  const patient = client.withOptions({ maxRetries: 1 });
  const from = world.upstream.log.length;
  await expect(
    patient.chat.completions.create({ model: "paid/flaky-4-500-then-ok", messages: ask("a") }),
  ).resolves.toBeTruthy();
  expect(world.upstream.log.length - from).toBe(5);
  expect(await world.calls()).toBe(2);
  const before = world.upstream.log.length;
  await expect(patient.chat.completions.create({ model: "paid/fail-401", messages: ask("a") })).rejects.toThrow();
  expect(world.upstream.log.length - before).toBe(1);
});

test("an aborted stream is cut and billed for what came", async () => {
  const message = Array.from({ length: 2_000 }, (_, i) => `w${i}`).join(" ");
  const stream = await client.chat.completions.create({
    model: "paid/brisk-words",
    messages: ask(message),
    stream: true,
    max_tokens: 3000,
  });
  let seen = 0;
  for await (const _ of stream) if (++seen > 20) break;
  const line = await world.lastCall("client_closed");
  expect(line.estimated).toBe(true);
  expect(line.output_tokens).toBeGreaterThan(20);
  expect(world.upstream.log.at(-1)).toMatchObject({ completed: false });
  expect(await world.books()).toMatchObject({ consistent: true, reserved_nano: 0, open_holds: 0 });
});

test("an idempotency key gives the same answer again, streamed too", async () => {
  for (const stream of [false, true]) {
    const idempotencyKey = crypto.randomUUID();
    const body = { model: "paid/echo", messages: ask("again"), stream };
    const before = world.upstream.log.length;
    const send = async () => {
      const response = await fetch(`${client.baseURL}/chat/completions`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${client.apiKey}`,
          "content-type": "application/json",
          "idempotency-key": idempotencyKey,
        },
        body: JSON.stringify(body),
      });
      return {
        text: await response.text(),
        replayed: response.headers.get("idempotency-replayed"),
        type: response.headers.get("content-type"),
      };
    };
    const first = await send();
    const second = await send();
    expect(second).toEqual({ ...first, replayed: "true" });
    expect(world.upstream.log.length - before).toBe(1);
  }
});

test("embeddings, in the form the client asks for by itself, and billed", async () => {
  const made = await client.embeddings.create({ model: "paid/embed", input: ["high tide", "low"] });
  expect(made.data.map(({ embedding }) => embedding.length)).toEqual([8, 8]);
  expect(await world.lastCall()).toMatchObject({ tool: "embeddings", input_tokens: 3, output_tokens: 0 });
});

describe.each(["paid/echo", "anthropic/echo"])("responses of %s", (model) => {
  test("whole", async () => {
    const answer = await client.responses.create({ model, input: "high tide", max_output_tokens: 50 });
    expect(answer.output_text).toContain("high tide");
    expect(await world.lastCall()).toMatchObject({ tool: "responses", output_tokens: answer.usage?.output_tokens });
  });

  test("streamed", async () => {
    const stream = client.responses.stream({ model, input: "one two three", max_output_tokens: 50 });
    const answer = await stream.finalResponse();
    expect([answer.status, answer.output_text.includes("one two three")]).toEqual(["completed", true]);
    expect(await world.lastCall()).toMatchObject({ tool: "responses", status: "ok", estimated: false });
  });

  test("what others keep at the provider cannot be pointed at", async () => {
    const before = world.upstream.log.length;
    await expect(
      client.responses.create({ model, input: "a", previous_response_id: "resp_of_somebody" }),
    ).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    expect(world.upstream.log).toHaveLength(before);
  });
});

test("a conversation without a word is refused before Claude is asked, naming its field", async () => {
  const before = world.upstream.log.length;
  const refused = (answer: Promise<unknown>) => answer.catch((error) => error as InstanceType<typeof OpenAI.APIError>);
  const model = "anthropic/echo";
  const chat = await refused(client.chat.completions.create({ model, messages: ask("") }));
  const response = await refused(client.responses.create({ model, input: " " }));
  const streamed = await refused(client.responses.create({ model, input: "", stream: true }));
  expect([chat, response, streamed]).toMatchObject([
    { status: 400, param: "messages" },
    { status: 400, param: "input" },
    { status: 400, param: "input" },
  ]);
  expect(world.upstream.log).toHaveLength(before);
});

test("the list of models", async () => {
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toContain("paid/echo");
});
