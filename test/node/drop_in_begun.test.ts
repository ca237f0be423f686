import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUpstream, type UpstreamServer } from "../upstream/server.ts";
import { type SilentServer, startSilent } from "../upstream/silent.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** A provider that is slow to begin: the client hears comments meanwhile, and how it ends, in its own dialect. */

const price = { input: "3", output: "15" };
let silent: SilentServer;
let upstream: UpstreamServer;
let waypost: Waypost;

beforeAll(async () => {
  silent = await startSilent();
  upstream = await startUpstream();
  waypost = await startWaypost({
    vars: {
      KEEP_ALIVE_MS: "200",
      PROVIDER_TIMEOUT_MS: "4000",
      OPENAI_API_KEY: "sk-stand-in",
      OPENAI_BASE_URL: `${silent.url}/v1`,
      ANTHROPIC_API_KEY: "sk-ant-stand-in",
      ANTHROPIC_BASE_URL: `${silent.url}/v1`,
      MODEL_PROVIDERS: JSON.stringify([
        { id: "paid", base_url: `${upstream.url}/v1`, local: false, models: [{ name: "slow-first-byte" }] },
      ]),
      MODEL_PRICES: JSON.stringify({
        "paid/slow-first-byte": price,
        "openai/mute-late": price,
        "anthropic/mute-late": price,
      }),
    },
  });
});
afterAll(async () => {
  await waypost?.stop();
  await silent?.close();
  await upstream?.close();
});

const openai = () => new OpenAI({ apiKey: waypost.apiKey, baseURL: `${waypost.url}/v1`, maxRetries: 0 });
const anthropic = () => new Anthropic({ apiKey: waypost.apiKey, baseURL: waypost.url, maxRetries: 0 });
const messages = [{ role: "user" as const, content: "high tide" }];

async function thrownBy(stream: () => Promise<AsyncIterable<unknown>>): Promise<unknown> {
  try {
    for await (const _ of await stream());
  } catch (error) {
    return error;
  }
  throw new Error("it ended well");
}

async function usage() {
  const response = await fetch(`${waypost.url}/v1/usage`, { headers: { authorization: `Bearer ${waypost.apiKey}` } });
  return (await response.json()) as { total: { cost_nano: number }; balance: { reserved_nano: number } };
}

describe("an answer that begins late", () => {
  it("comes after comments, whole", async () => {
    const response = await fetch(`${waypost.url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${waypost.apiKey}`, "content-type": "application/json" },
      body: JSON.stringify({ model: "paid/slow-first-byte", stream: true, messages }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-ratelimit-remaining")).not.toBeNull();
    const text = await response.text();
    expect(text).toMatch(/^(: waiting\n\n){5,}data: /);
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    expect(text.slice(text.indexOf("data:"))).not.toContain(": waiting");
    const stream = await openai().chat.completions.create({ model: "paid/slow-first-byte", messages, stream: true });
    let said = "";
    for await (const { choices } of stream) said += choices[0]?.delta.content ?? "";
    expect(said).toBe("You said: high tide");
  });

  it("and does not come: every official client throws the error that it can show, and nothing is charged", async () => {
    const before = await usage();
    const [chat, response, message] = await Promise.all([
      thrownBy(() => openai().chat.completions.create({ model: "openai/mute-late", messages, stream: true })),
      thrownBy(() => openai().responses.create({ model: "openai/mute-late", input: "a", stream: true })),
      thrownBy(() =>
        anthropic().messages.create({ model: "anthropic/mute-late", messages, max_tokens: 50, stream: true }),
      ),
    ]);
    for (const error of [chat, response]) expect(error).toBeInstanceOf(OpenAI.APIError);
    expect(message).toBeInstanceOf(Anthropic.APIError);
    for (const error of [chat, response, message]) expect(String(error)).toContain("was silent for 4000 ms");
    const after = await usage();
    expect(after.total.cost_nano).toBe(before.total.cost_nano);
    expect(after.balance.reserved_nano).toBe(0);
  });
});
