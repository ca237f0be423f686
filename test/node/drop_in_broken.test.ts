import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { freshAccount } from "./fresh_account.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** Streams that break off after their beginning has passed through: what their official clients make of the rest. */

const BREAKS = ["cut-mid-stream", "end-mid-stream", "error-chunk", "silent-mid-stream"];
const MESSAGE_BREAKS = ["cut-mid-stream", "end-mid-stream", "error-mid-stream", "silent-mid-stream"];
const WORDS = "one two three four five six";
const TOLD = /^(?:provider_failed|provider_timeout): Provider \w+ /;

let upstream: UpstreamServer;
let waypost: Waypost;
beforeAll(async () => {
  upstream = await startUpstream();
  const models = [
    ...BREAKS.map((name) => `openai/${name}`),
    ...[...MESSAGE_BREAKS, "error-chunk"].map((name) => `anthropic/${name}`),
  ];
  waypost = await startWaypost({
    vars: {
      PROVIDER_TIMEOUT_MS: "4000",
      OPENAI_API_KEY: "sk-stand-in",
      OPENAI_BASE_URL: `${upstream.url}/v1`,
      ANTHROPIC_API_KEY: "sk-ant-stand-in",
      ANTHROPIC_BASE_URL: `${upstream.url}/v1`,
      MODEL_PRICES: JSON.stringify(Object.fromEntries(models.map((id) => [id, { input: "3", output: "15" }]))),
    },
  });
});
afterAll(async () => {
  await waypost?.stop();
  await upstream?.close();
});

/** What failed for one test is not held against the providers in the next. */
let apiKey: string;
beforeEach(async () => {
  apiKey = (await freshAccount(waypost)).key;
});

const openai = () => new OpenAI({ apiKey, baseURL: `${waypost.url}/v1`, maxRetries: 0 });
const anthropic = () => new Anthropic({ apiKey, baseURL: waypost.url, maxRetries: 0 });
const messages = [{ role: "user" as const, content: WORDS }];

const thrownBy = (answer: Promise<unknown>): Promise<Error> =>
  answer.then(
    () => Promise.reject(new Error("it ended well")),
    (error: Error) => error,
  );

interface Told {
  type: string;
  sequence_number: number;
  response?: { id: string; status: string; error: { code: string; message: string } | null };
}

/** The events of a response as they are on the wire. */
async function eventsOf(model: string): Promise<Told[]> {
  const response = await fetch(`${waypost.url}/v1/responses`, {
    method: "POST",
    headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({ model, stream: true, input: WORDS }),
  });
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => JSON.parse(line.slice(6)) as Told);
}

describe("a response that breaks off", () => {
  it.each(BREAKS)("%s: the client throws what Waypost says of it", async (name) => {
    let text = "";
    const stream = openai().responses.stream({ model: `openai/${name}`, input: WORDS });
    stream.on("response.output_text.delta", ({ delta }) => {
      text += delta;
    });
    const error = await thrownBy(stream.finalResponse());
    expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(error.message).toMatch(TOLD);
    expect(text).toMatch(/^You said: one/);
  });

  it.each(BREAKS)("%s: only the failure is told, of the same response, with the next numbers", async (name) => {
    const told = await eventsOf(`openai/${name}`);
    expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, i) => i));
    expect(told.map(({ type }) => type).filter((type) => !/^response\.(?:output_|content_)/.test(type))).toEqual([
      "response.created",
      "response.in_progress",
      "error",
      "response.failed",
    ]);
    const lifecycle = told.flatMap(({ response }) => response ?? []);
    expect(new Set(lifecycle.map(({ id }) => id)).size).toBe(1);
    expect(lifecycle.at(-1)).toMatchObject({
      status: "failed",
      error: { code: "server_error", message: expect.stringMatching(TOLD) },
    });
    expect(JSON.stringify(told)).not.toContain("secret");
  });
});

it.each(BREAKS)("a chat completion that breaks off, %s: the client throws what Waypost says of it", async (name) => {
  let text = "";
  const read = async () => {
    const stream = await openai().chat.completions.create({ model: `openai/${name}`, messages, stream: true });
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? "";
  };
  const error = await thrownBy(read());
  expect(error).toBeInstanceOf(OpenAI.APIError);
  expect(error.message).toMatch(TOLD);
  expect(text).toMatch(/^You said: one/);
});

it.each(MESSAGE_BREAKS)("a message that breaks off, %s: the client throws what Waypost says of it", async (name) => {
  let text = "";
  const stream = anthropic().messages.stream({ model: `anthropic/${name}`, messages, max_tokens: 50 });
  stream.on("text", (piece) => {
    text += piece;
  });
  const error = await thrownBy(stream.finalMessage());
  expect(error).toBeInstanceOf(Anthropic.APIError);
  expect(error.message).toMatch(/"message":"provider_(?:failed|timeout): Provider anthropic /);
  expect(error.message).not.toContain("secret");
  expect(text).toMatch(/^You said: one/);
});
