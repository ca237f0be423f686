import { env } from "cloudflare:test";
import { beforeAll, describe, expect, inject, test } from "vitest";
import type { Env } from "../../src/env.ts";
import { account, rest } from "./client.ts";
import { configureModels, priceOf, UPSTREAM_KEY } from "./provider.ts";

/** What keeps a chat safe and cheap, through the gate: what the provider saw, what the caller reads, what it cost. */

const settings = env as unknown as Env;
configureModels();
settings.OPENAI_API_KEY = UPSTREAM_KEY;
settings.OPENAI_BASE_URL = `${inject("upstreamUrl")}/v1`;

let key: string;
beforeAll(async () => {
  key = (await account("enterprise", { scopes: ["chat", "sync", "account"] })).key;
});

const chat = (input: object) => rest(key, "POST", "/v1/chat", { model: "paid/echo", ...input });

async function seen(text: string): Promise<string[]> {
  const log = (await (await fetch(`${inject("upstreamUrl")}/log`)).json()) as {
    model: string;
    body?: { messages: { content: string }[] };
  }[];
  const prompts = log.filter(({ model }) => model === "echo").map(({ body }) => JSON.stringify(body?.messages ?? []));
  return prompts.filter((prompt) => prompt.includes(text));
}

describe("redaction", () => {
  const message = "Ring Jana at +44 20 7946 0958 or write to jana.k@example.org about unit-7731.";

  test("the provider never sees the values, the caller reads them again, whole and streamed", async () => {
    const whole = await chat({ message, redact: ["phone", "email"] });
    expect(whole.body).toMatchObject({ text: `You said: ${message}` });
    const streamed = await chat({ message: `${message} `, redact: true, stream: true });
    expect(streamed.body).toContain("jana.k@example.org");
    expect(await seen("unit-7731")).toHaveLength(2);
    expect(await seen("jana.k@example.org")).toEqual([]);
    expect(await seen("7946")).toEqual([]);
  });

  test("in a session the words are kept as they were, and their history is redacted too", async () => {
    await chat({ message: "My address is mara@example.net, unit-8842.", session_id: "r1", redact: true });
    const next = await chat({ message: "Once more, unit-8843.", session_id: "r1", redact: true });
    expect(next.status).toBe(200);
    const [prompt] = await seen("unit-8843");
    expect(prompt).toContain("unit-8842");
    expect(await seen("mara@example.net")).toEqual([]);
    const session = await rest(key, "POST", "/v1/sync", { device_id: "d" });
    expect(JSON.stringify(session.body)).toContain("mara@example.net");
  });
});

describe("moderation", () => {
  test("what is flagged on its way in costs nothing and never reaches the model", async () => {
    const refused = await chat({ message: "flagviolence unit-9001", moderate: true });
    expect([refused.status, refused.body.code]).toEqual([400, "content_flagged"]);
    expect(await seen("unit-9001")).toEqual([]);
    const flags = await rest(key, "GET", "/v1/moderation/flags");
    expect(flags.body.flags[0]).toMatchObject({ side: "input", categories: ["violence"] });
  });

  test("an answer that is flagged is not given, and what the provider did is billed", async () => {
    const only = { input: false, output: true };
    const refused = await chat({ message: "flagself unit-9002", moderate: only });
    expect(refused.body.code).toBe("content_flagged");
    // Two words and "You said:", four tokens around the message.
    expect(refused.body.charged_nano_usd).toBe(priceOf({ input: 6, output: 4 }));
    expect(JSON.stringify(refused.body)).not.toContain("flagself");
  });
});

describe("the response cache", () => {
  test("the same question is answered from it, for nothing, by this account alone", async () => {
    const input = { message: "What is unit-9100?", cache: true };
    const first = await chat(input);
    const again = await chat(input);
    expect(again.body.text).toBe(first.body.text);
    expect([first.body.usage.cached, again.body.usage.cached]).toEqual([undefined, true]);
    expect(again.body.cost.nano_usd).toBe(0);
    expect(await seen("unit-9100")).toHaveLength(1);
    const other = await account();
    await rest(other.key, "POST", "/v1/chat", { model: "paid/echo", ...input });
    expect(await seen("unit-9100")).toHaveLength(2);
  });
});

describe("a saved prompt", () => {
  test("is what is asked, with its variables filled in; a missing one is named before anything is asked", async () => {
    const saved = await rest(key, "POST", "/v1/templates", {
      name: "explain",
      text: "Explain {{thing}} to {{who}}.",
      variables: [{ name: "who", default: "a child" }],
    });
    expect(saved.status).toBe(200);
    const answer = await chat({ template: { name: "explain", variables: { thing: "unit-9200" } } });
    expect(answer.body.text).toBe("You said: Explain unit-9200 to a child.");
    expect(answer.body.cost.nano_usd).toBeGreaterThan(0);
    const missing = await chat({ template: { name: "explain" } });
    expect([missing.status, missing.body.code]).toEqual([400, "invalid_input"]);
    expect(JSON.stringify(missing.body.issues)).toContain("thing");
    const both = await chat({ template: { name: "explain" }, message: "x" });
    expect(both.body.code).toBe("invalid_input");
  });
});
