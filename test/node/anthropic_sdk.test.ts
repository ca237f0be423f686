import Anthropic from "@anthropic-ai/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { dropInWorld, type World } from "./drop_in_world.ts";

/** Anthropic's own client against the drop-in endpoints: its only change is the base URL. */

let world: World;
let client: Anthropic;
beforeAll(async () => {
  world = await dropInWorld();
  client = new Anthropic({ baseURL: world.waypost.url, apiKey: world.waypost.apiKey, maxRetries: 0 });
});
afterAll(() => world?.stop());

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
const ask = (content: string): Anthropic.MessageParam[] => [{ role: "user", content }];
const tools: Anthropic.Tool[] = [
  { name: "weather", input_schema: { type: "object", properties: { question: { type: "string" } } } },
];
const textOf = (message: Anthropic.Message): string =>
  message.content.map((block) => (block.type === "text" ? block.text : "")).join("");

describe.each(["anthropic/echo", "paid/echo"])("messages of %s", (model) => {
  test("whole, with usage, and billed by it", async () => {
    const answer = await client.messages.create({
      model,
      max_tokens: 50,
      system: "Be brief.",
      messages: ask("high tide"),
    });
    expect(textOf(answer)).toContain("high tide");
    expect(answer._request_id).toMatch(/^req_/);
    const line = await world.lastCall();
    expect(line).toMatchObject({ tool: "messages", status: "ok", estimated: false });
    expect(line.output_tokens).toBe(answer.usage.output_tokens);
  });

  test("streamed, put together by the client", async () => {
    const stream = client.messages.stream({ model, max_tokens: 50, messages: ask("one two three") });
    let text = "";
    stream.on("text", (piece) => {
      text += piece;
    });
    const answer = await stream.finalMessage();
    expect(textOf(answer)).toBe(text);
    expect(text).toContain("one two three");
    expect(answer.stop_reason).toBe("end_turn");
    const line = await world.lastCall();
    expect(line).toMatchObject({ status: "ok", estimated: false, output_tokens: answer.usage.output_tokens });
  });

  test.each([false, true])("tools, there and back, streamed: %s", async (streamed) => {
    const messages = ask("is it raining?");
    const body = { model, max_tokens: 200, messages, tools };
    const first = streamed ? await client.messages.stream(body).finalMessage() : await client.messages.create(body);
    const use = first.content.find((block) => block.type === "tool_use");
    expect([first.stop_reason, use?.name]).toEqual(["tool_use", "weather"]);
    expect(Object.keys(use?.input as object)).toHaveLength(1);
    messages.push({ role: "assistant", content: first.content });
    messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: use?.id as string, content: "dry" }] });
    const second = await client.messages.create(body);
    expect(second.stop_reason).toBe("end_turn");
    expect(JSON.stringify(world.upstream.log.at(-1)?.body)).toContain("dry");
  });

  test("a picture", async () => {
    const content: Anthropic.ContentBlockParam[] = [
      { type: "image", source: { type: "base64", media_type: "image/png", data: PIXEL } },
      { type: "text", text: "what is this?" },
    ];
    await client.messages.create({ model, max_tokens: 50, messages: [{ role: "user", content }] });
    expect(JSON.stringify(world.upstream.log.at(-1)?.body)).toContain(PIXEL);
  });
});

test("features asked for by name reach a provider that speaks the API; a list that is none is refused", async () => {
  const betas = ["interleaved-thinking-2025-05-14", "context-management-2025-06-27"];
  const body = { max_tokens: 20, messages: ask("high tide"), betas };
  const sent = () => world.upstream.log.at(-1)?.betas;
  await client.beta.messages.create({ model: "anthropic/echo", ...body });
  expect(sent()).toBe(betas.join(","));
  await client.beta.messages.stream({ model: "anthropic/echo", ...body }).finalMessage();
  expect(sent()).toBe(betas.join(","));
  await client.messages.create({ model: "anthropic/echo", max_tokens: 20, messages: ask("high tide") });
  expect(sent()).toBeUndefined();
  await client.beta.messages.create({ model: "paid/echo", ...body });
  expect(sent()).toBeUndefined();
  const odd = client.beta.messages.create({ model: "anthropic/echo", ...body, betas: ["a b"] });
  await expect(odd).rejects.toBeInstanceOf(Anthropic.BadRequestError);
});

describe("counting tokens", () => {
  const said = { system: "Be brief.", messages: ask("How high is the tide at noon in the old harbour?"), tools };

  test("of Anthropic's model: its own count, of the very request, and free", async () => {
    const before = world.upstream.log.length;
    const count = await client.messages.countTokens({ model: "anthropic/echo", ...said });
    expect(count).toEqual({ input_tokens: 7_000 + JSON.stringify([said.messages, said.system, tools]).length });
    expect(count._request_id).toMatch(/^req_/);
    expect(world.upstream.log).toHaveLength(before + 1);
    expect(world.upstream.log.at(-1)?.body).toEqual({ ...said, model: "echo" });
    const line = (await world.recent()).find(({ tool }) => tool === "count_tokens");
    expect(line).toMatchObject({ status: "ok", cost_nano: 0 });
    expect(await world.books()).toMatchObject({ consistent: true, reserved_nano: 0, open_holds: 0 });
    const betas = ["token-counting-2024-11-01"];
    expect(await client.beta.messages.countTokens({ model: "anthropic/echo", ...said, betas })).toMatchObject(count);
    expect(world.upstream.log.at(-1)?.betas).toContain(betas[0]);
  });

  test("of any other: an estimate made here that says so, near the prompt's tokens and below what is held", async () => {
    const before = world.upstream.log.length;
    const short = await client.messages.countTokens({ model: "paid/echo", ...said });
    expect(short).toEqual({ input_tokens: expect.any(Number), estimated: true });
    const text = "The harbour floods at spring tide, twice a month. ".repeat(200);
    const long = await client.messages.countTokens({ model: "paid/echo", messages: ask(text) });
    // Ten words and two signs each time.
    expect(long.input_tokens).toBeGreaterThan(1_800);
    expect(long.input_tokens).toBeLessThan(2_600);
    expect(world.upstream.log).toHaveLength(before);
  });

  test("is refused what the messages would be refused", async () => {
    const count = (model: string, more: object = {}, by = client) =>
      by.messages.countTokens({ model, ...said, ...more });
    const before = world.upstream.log.length;
    await expect(count("nobody/none")).rejects.toBeInstanceOf(Anthropic.NotFoundError);
    await expect(count("paid/echo", { messages: [] })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
    await expect(count("paid/echo", { messages: [{ role: "bard", content: "a" }] })).rejects.toBeInstanceOf(
      Anthropic.BadRequestError,
    );
    for (const model of ["anthropic/echo", "paid/echo"]) {
      const search = [{ type: "web_search_20250305", name: "web_search" }];
      await expect(count(model, { tools: search })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
      const file = [{ role: "user", content: [{ type: "document", source: { type: "file", file_id: "file_1" } }] }];
      await expect(count(model, { messages: file })).rejects.toBeInstanceOf(Anthropic.BadRequestError);
      await expect(count(model, {}, client.withOptions({ apiKey: "wp_damaged" }))).rejects.toBeInstanceOf(
        Anthropic.AuthenticationError,
      );
    }
    expect(world.upstream.log).toHaveLength(before);
  });

  test.each([
    ["anthropic/fail-400", Anthropic.BadRequestError, "invalid_input"],
    ["anthropic/fail-401", Anthropic.APIError, "provider_refused"],
    ["anthropic/fail-429-retry-after", Anthropic.APIError, "provider_busy"],
    ["anthropic/fail-500", Anthropic.InternalServerError, "provider_failed"],
    ["anthropic/wrong-content-type", Anthropic.InternalServerError, "provider_failed"],
    ["anthropic/nonsense-count", Anthropic.InternalServerError, "provider_failed"],
  ])("%s fails in the client's own kind, and tells nothing of the provider's words", async (model, kind, code) => {
    const error = await client.messages.countTokens({ model, ...said }).then(
      () => null,
      (thrown) => thrown as InstanceType<typeof Anthropic.APIError>,
    );
    expect(error).toBeInstanceOf(kind);
    expect(JSON.stringify(error?.error)).toContain(code);
    expect(JSON.stringify(error?.error)).not.toContain("secret");
  });
});

/** What failed for one test is not held against the providers in the next. */
const eachAfresh = () =>
  beforeEach(async () => {
    client = client.withOptions({ apiKey: await world.freshAccount() });
  });

describe("errors are the client's own kinds", () => {
  eachAfresh();
  const create = (model: string, more: object = {}) =>
    client.messages.create({ model, max_tokens: 50, messages: ask("a b c d"), ...more }).then(
      () => null,
      (error) => error as InstanceType<typeof Anthropic.APIError>,
    );

  test.each([
    ["nobody/none", Anthropic.NotFoundError, "model_unknown"],
    ["anthropic/fail-400", Anthropic.BadRequestError, "invalid_input"],
    ["anthropic/fail-401", Anthropic.APIError, "provider_refused"],
    ["anthropic/fail-429-retry-after", Anthropic.APIError, "provider_busy"],
    ["anthropic/fail-500", Anthropic.InternalServerError, "provider_failed"],
    ["anthropic/wrong-content-type", Anthropic.InternalServerError, "provider_failed"],
    ["paid/fail-500", Anthropic.InternalServerError, "provider_failed"],
    ["paid/cut-mid-stream", Anthropic.InternalServerError, "provider_failed"],
  ])("%s", async (model, kind, code) => {
    const error = await create(model);
    expect(error).toBeInstanceOf(kind);
    expect(JSON.stringify(error?.error)).toContain(code);
    expect(JSON.stringify(error?.error)).not.toContain("secret");
    expect(error?.requestID).toMatch(/^req_/);
    if (code !== "model_unknown") expect((await world.lastCall()).cost_nano).toBe(0);
  });

  test("a bad key, as the client sends it and as a bearer", async () => {
    for (const apiKey of ["sk-ant-nobody", "wp_damaged"]) {
      const stranger = client.withOptions({ apiKey });
      await expect(
        stranger.messages.create({ model: "anthropic/echo", max_tokens: 5, messages: ask("a") }),
      ).rejects.toBeInstanceOf(Anthropic.AuthenticationError);
    }
    const bearer = new Anthropic({ baseURL: world.waypost.url, apiKey: null, authToken: world.waypost.apiKey });
    await bearer.messages.create({ model: "anthropic/echo", max_tokens: 5, messages: ask("a") });
  });

  test("tools that run at the provider for a fee are refused before anybody is asked", async () => {
    const before = world.upstream.log.length;
    const error = await create("anthropic/echo", { tools: [{ type: "web_search_20250305", name: "web_search" }] });
    expect(error).toBeInstanceOf(Anthropic.BadRequestError);
    expect(world.upstream.log).toHaveLength(before);
  });

  test.each(["anthropic/cut-mid-stream", "paid/cut-mid-stream"])(
    "%s after the first byte: the client throws, and nothing is billed",
    async (model) => {
      const stream = client.messages.stream({ model, max_tokens: 50, messages: ask("a b c d e f") });
      await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIError);
      expect(await world.lastCall()).toMatchObject({ status: "provider_failed", cost_nano: 0 });
    },
  );
});

test("what may succeed is tried again, and nothing else", async () => {
  client = client.withOptions({ apiKey: await world.freshAccount() });
  const patient = client.withOptions({ maxRetries: 0 });
  for (const [model, tries] of [
    ["anthropic/fail-500", 3],
    ["anthropic/fail-401", 1],
  ] as const) {
    const before = world.upstream.log.length;
    await expect(patient.messages.create({ model, max_tokens: 5, messages: ask("a") })).rejects.toThrow();
    expect(world.upstream.log.length - before).toBe(tries);
  }
});

test("an aborted stream is cut and billed for what came", async () => {
  const message = Array.from({ length: 2_000 }, (_, i) => `w${i}`).join(" ");
  const stream = client.messages.stream({ model: "paid/brisk-words", max_tokens: 3000, messages: ask(message) });
  let seen = 0;
  stream.on("text", () => {
    if (++seen === 20) stream.abort();
  });
  await expect(stream.finalMessage()).rejects.toBeInstanceOf(Anthropic.APIUserAbortError);
  const line = await world.lastCall("client_closed");
  expect(line.estimated).toBe(true);
  expect(line.output_tokens).toBeGreaterThan(15);
  expect(await world.books()).toMatchObject({ consistent: true, reserved_nano: 0, open_holds: 0 });
});
