import { SELF } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { account, ORIGIN, rest } from "./client.ts";
import { configureModels, priceOf, servedBy, UPSTREAM_KEY } from "./provider.ts";

configureModels();

/** The drop-in endpoints pass the same gate as every tool: who, what for, how often, how much, once. */

const CHAT = "/v1/chat/completions";
const ask = (content: string, more: object = {}) => ({
  model: "paid/echo",
  messages: [{ role: "user", content }],
  ...more,
});

describe("a call of a drop-in endpoint", () => {
  it("is billed by the provider's report, and says so", async () => {
    const { key } = await account();
    const reply = await rest(key, "POST", CHAT, ask("high tide"));
    const { prompt_tokens, completion_tokens } = reply.body.usage;
    const cost = priceOf({ input: prompt_tokens, output: completion_tokens });
    expect(reply.headers.get("x-waypost-cost-nano-usd")).toBe(String(cost));
    expect(reply.headers.get("x-ratelimit-remaining")).not.toBeNull();
    expect((await rest(key, "GET", "/v1/usage")).body.by_tool.chat_completions).toMatchObject({
      calls: 1,
      cost_nano: cost,
    });
  });

  it("says in its headers which model it was and why, what is left, and where its account is", async () => {
    const { key } = await account("pro");
    const { headers } = await rest(key, "POST", CHAT, ask("high tide"));
    const { body: quota } = await rest(key, "GET", "/v1/quota");
    expect(headers.get("x-waypost-model")).toBe("paid/echo");
    expect(headers.get("x-waypost-why")).toBe("asked for by name");
    expect(headers.get("x-waypost-price-version")).toBe("MODEL_PRICES");
    expect(headers.get("x-waypost-plan-tokens-left")).toBe(String(quota.tokens.remaining));
    expect(headers.get("x-waypost-credit-left-nano-usd")).toBe("0");
    const called = headers.get("x-waypost-call-id");
    expect((await rest(key, "GET", `/v1/usage/calls/${called}`)).body).toMatchObject({
      tool: "chat_completions",
      cost_nano: Number(headers.get("x-waypost-cost-nano-usd")),
    });
    const streamed = await SELF.fetch(`${ORIGIN}${CHAT}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(ask("high tide", { stream: true })),
    });
    await streamed.text();
    const id = streamed.headers.get("x-waypost-call-id");
    expect((await rest(key, "GET", `/v1/usage/calls/${id}`)).body).toMatchObject({ status: "ok", model: "paid/echo" });
  });

  it("uses the limits, and is refused by them in the dialect's words", async () => {
    const { key } = await account("enterprise", { limits: { minute: 1 } });
    expect((await rest(key, "POST", CHAT, ask("a"))).status).toBe(200);
    for (const [path, word] of [
      [CHAT, "rate_limit_exceeded"],
      ["/v1/messages", "rate_limit_error"],
      ["/v1/messages/count_tokens", "rate_limit_error"],
    ] as const) {
      const refused = await rest(key, "POST", path, ask("a", { max_tokens: 5 }));
      expect(refused.status).toBe(429);
      expect(JSON.stringify(refused.body)).toContain(word);
      expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    }
  });

  it("needs the scope", async () => {
    const { key } = await account("enterprise", { scopes: ["search"] });
    for (const path of [CHAT, "/v1/responses", "/v1/messages", "/v1/messages/count_tokens"]) {
      const reply = await rest(key, "POST", path, ask("a", { input: "a" }));
      expect([path, reply.status]).toEqual([path, 403]);
      expect(JSON.stringify(reply.body)).toContain("scope");
    }
  });

  it("without money is refused before the provider is asked", async () => {
    const { key } = await account("free");
    const before = await servedBy("tokens-999000-1000");
    const long = ask("moon ".repeat(300_000), { model: "paid/tokens-999000-1000" });
    const reply = await rest(key, "POST", CHAT, long);
    expect(reply.status).toBe(429);
    expect(reply.body.error.code).toBe("insufficient_quota");
    expect(reply.headers.get("x-should-retry")).toBe("false");
    expect(await servedBy("tokens-999000-1000")).toBe(before);
  });

  it("takes the key where Anthropic's clients put it, on /v1 alone", async () => {
    const { key } = await account();
    const send = (path: string, headers: Record<string, string>) =>
      SELF.fetch(`${ORIGIN}${path}`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", ...headers },
        body: JSON.stringify(ask("a", { max_tokens: 9 })),
      });
    expect((await send("/v1/messages", { "X-Api-Key": key })).status).toBe(200);
    expect((await send("/v1/messages", { "X-Api-Key": `${key}x` })).status).toBe(401);
    expect((await send("/v1/messages", { "X-Api-Key": UPSTREAM_KEY })).status).toBe(401);
    expect((await send("/v1/messages", { "X-Api-Key": key, Authorization: "Bearer nonsense" })).status).toBe(401);
    expect((await send(`/v1/messages?access_token=${key}`, { "X-Api-Key": key })).status).toBe(400);
    expect((await send("/mcp", { "X-Api-Key": key })).status).toBe(401);
  });

  it.each([
    ["not JSON", "{", "invalid_json"],
    ["no object", [], "invalid_input"],
    ["null", "null", "invalid_input"],
    ["no model", { messages: [{}] }, "invalid_input"],
    ["no messages", { model: "paid/echo", messages: [] }, "invalid_input"],
    ["a wrong limit", ask("a", { max_tokens: -1 }), "invalid_input"],
  ])("%s is answered in the dialect's words", async (_, body, code) => {
    const { key } = await account();
    for (const path of [CHAT, "/v1/messages"]) {
      const reply = await rest(key, "POST", path, body);
      expect([reply.status, reply.headers.get("content-type")]).toEqual([400, "application/json"]);
      expect(reply.body.error.message).toContain(code);
    }
  });

  it.each([undefined, null, 3, { role: "user" }])(
    "with %j as the input of a response is told what is wanted",
    async (input) => {
      const { key } = await account();
      const { status, body } = await rest(key, "POST", "/v1/responses", { model: "paid/echo", input });
      expect([status, body.error.param]).toEqual([400, "input"]);
      expect(body.error.message).toContain("input: Expected a text, or a list of items");
    },
  );

  it.each([["x"], [["include_usage"]], [1], [true]])(
    "stream options that are %j are refused by name",
    async (stream_options) => {
      const { key } = await account();
      const before = await servedBy("echo");
      for (const stream of [true, false]) {
        const reply = await rest(key, "POST", CHAT, ask("a", { stream, stream_options }));
        expect([reply.status, reply.body.error.param]).toEqual([400, "stream_options"]);
      }
      expect(await servedBy("echo")).toBe(before);
      const plain = await rest(key, "POST", CHAT, ask("a", { stream: true, stream_options: null }));
      expect(plain.status).toBe(200);
    },
  );

  it.each([
    ["redact", true],
    ["redact", ["email"]],
    ["redact_terms", ["Hildegard"]],
    ["moderate", { input: true }],
    ["grounding", true],
  ])(
    "that asks for %s (%j), which only the chat tool has, is refused by name, and nobody is asked",
    async (field, asked) => {
      const { key } = await account();
      const before = await servedBy("echo");
      for (const path of [CHAT, "/v1/responses", "/v1/messages", "/v1/messages/count_tokens", "/v1/embeddings"]) {
        const body = {
          input: "write to a@b.example",
          ...ask("write to a@b.example", { max_tokens: 9 }),
          [field]: asked,
        };
        const refused = await rest(key, "POST", path, body);
        expect([path, refused.status]).toEqual([path, 400]);
        expect(refused.body.error.message).toMatch(
          new RegExp(`^invalid_input: ${field} is not offered here: .*/v1/chat`),
        );
      }
      const off = ask("a", { max_tokens: 9, redact: false, moderate: null });
      expect((await rest(key, "POST", CHAT, off)).status).toBe(200);
      expect(await servedBy("echo")).toBe(before + 1);
    },
  );

  it("repeated with its key and another input is a conflict", async () => {
    const { key } = await account();
    const headers = { "Idempotency-Key": "once" };
    expect((await rest(key, "POST", CHAT, ask("a"), headers)).status).toBe(200);
    const other = await rest(key, "POST", CHAT, ask("b"), headers);
    expect([other.status, other.body.error.code]).toEqual([409, "idempotency_conflict"]);
  });

  it("is sent only what can be paid", async () => {
    const { key } = await account();
    const reply = await rest(key, "POST", CHAT, ask("one two three four five six", { max_tokens: 4 }));
    expect(reply.body.choices[0]).toMatchObject({
      finish_reason: "length",
      message: { content: "You said: one two " },
    });
  });
});

describe("a stream that has begun", () => {
  it.each(["cut-mid-stream", "end-mid-stream", "error-chunk", "malformed-chunk", "nonsense-chunk", "huge-line"])(
    "%s ends with the dialect's error, and costs nothing",
    async (model) => {
      const { key } = await account();
      const reply = await rest(key, "POST", CHAT, ask("a b c d e f", { model: `paid/${model}`, stream: true }));
      expect(reply.status).toBe(200);
      const text = reply.body as string;
      expect(text.slice(-3_000)).toMatch(/data: \{"error":/);
      expect(text).not.toContain("secret");
      expect((await rest(key, "GET", "/v1/usage")).body.total).toMatchObject({ cost_nano: 0, errors: 1 });
      expect((await rest(key, "GET", "/v1/usage")).body.balance.reserved_nano).toBe(0);
    },
  );
});
