import { env } from "cloudflare:test";
import { beforeAll, expect, inject, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { account, rest } from "./client.ts";
import { configureModels, priceOf, servedBy, UPSTREAM_KEY } from "./provider.ts";

/** A policy holds for programs that speak another API's words too: they have no field to ask or to decline with. */

const settings = env as unknown as Env;
configureModels();
settings.OPENAI_API_KEY = UPSTREAM_KEY;
settings.OPENAI_BASE_URL = `${inject("upstreamUrl")}/v1`;

let key: string;
let answersOnly: string;
beforeAll(async () => {
  key = (await account()).key;
  const other = await account();
  answersOnly = other.key;
  const accounts = { [other.account]: { check: ["output"] } };
  settings.MODERATION = JSON.stringify({ by: "openai", check: ["input", "output"], on_failure: "closed", accounts });
});

const said = { role: "user", content: "flagviolence" };
const earlier = [said, { role: "assistant", content: "no" }, { role: "user", content: "high tide" }];
const requests = [
  ["/v1/chat/completions", { messages: [said] }, { messages: earlier }],
  ["/v1/messages", { messages: [said], max_tokens: 50 }, { messages: earlier, max_tokens: 50 }],
  ["/v1/responses", { input: "flagviolence" }, { input: "high tide" }],
] as const;

it.each(requests)("%s: what is flagged never reaches the model and costs nothing", async (path, bad, good) => {
  const before = await servedBy("echo");
  const refused = await rest(key, "POST", path, { model: "paid/echo", ...bad });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).toContain("content_flagged");
  expect(await servedBy("echo")).toBe(before);
  expect(refused.headers.get("x-waypost-cost-nano-usd") ?? "0").toBe("0");
  expect((await rest(key, "POST", path, { model: "paid/echo", ...good })).status).toBe(200);
});

it("an answer that is flagged is not given, and is billed", async () => {
  const refused = await rest(answersOnly, "POST", "/v1/chat/completions", {
    model: "paid/echo",
    messages: [{ role: "user", content: "flagself" }],
  });
  expect(refused.status).toBe(400);
  expect(JSON.stringify(refused.body)).not.toContain("flagself");
  const { body } = await rest(answersOnly, "GET", "/v1/usage");
  expect(body.total.cost_nano).toBe(priceOf({ input: 5, output: 3 }));
});

it("a stream that nobody could judge in time is refused", async () => {
  const body = { model: "paid/echo", messages: [{ role: "user", content: "x" }], stream: true };
  const refused = await rest(key, "POST", "/v1/chat/completions", body);
  expect([refused.status, refused.body.error.param ?? refused.body.error.message]).toEqual([
    400,
    expect.stringContaining("stream"),
  ]);
});
