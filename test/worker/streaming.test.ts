import { describe, expect, it } from "vitest";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

const question = "Tell me everything you know about the tides of the northern sea.";
const words = `You said: ${question}`.match(/\S+\s*/g) ?? [];

describe.each(DOORS)("a streamed chat over %s", (door) => {
  it("brings the answer in pieces that join to the whole, and is billed once", async () => {
    const { key } = await account();
    const input = { message: question, model: "paid/echo" };
    const told = await callThrough(door, key, "chat", input, { stream: true });
    expect(told.deltas.length).toBeGreaterThan(0);
    expect(told.deltas.join("")).toBe(words.join(""));
    expect(told.data.text).toBe(words.join(""));
    expect(told.cost).toBeGreaterThan(0);
    expect((await rest(key, "GET", "/v1/usage")).body.by_tool.chat).toMatchObject({ calls: 1, cost_nano: told.cost });
  });

  it("a stream that breaks ends with the error, after what was produced", async () => {
    const { key } = await account();
    const input = { message: question, model: "paid/cut-mid-stream" };
    const told = await callThrough(door, key, "chat", input, { stream: true });
    expect(told.code).toBe("provider_failed");
    expect(told.deltas.join("")).toBe(words.slice(0, Math.ceil(words.length / 2)).join(""));
  });
});

describe("a stream that was refused", () => {
  it.each([
    [{}, 400, "invalid_input"],
    [{ message: "hi", model: "nobody/none" }, 400, "model_unknown"],
    [{ message: "hi", model: "paid/fail-500" }, 502, "provider_failed"],
    [{ message: "hi", model: "paid/fail-429-retry-after" }, 503, "provider_busy"],
  ])("%j keeps its status, as a problem and not as an event", async (input, status, code) => {
    const { key } = await account();
    for (const body of [{ ...input, stream: true }, input]) {
      const reply = await rest(key, "POST", "/v1/chat", body, { Accept: "text/event-stream" });
      expect(reply.headers.get("content-type")).toBe("application/problem+json");
      expect(reply).toMatchObject({ status, body: { code } });
    }
  });

  it("by rate keeps its status too", async () => {
    const { key } = await account("enterprise", { limits: { minute: 1 } });
    const ask = () => rest(key, "POST", "/v1/chat", { message: "hi", model: "paid/echo", stream: true });
    const first = await ask();
    expect(first.status).toBe(200);
    expect(first.headers.get("content-type")).toContain("text/event-stream");
    expect(first.headers.get("x-ratelimit-remaining")).toBe("0");
    expect(await ask()).toMatchObject({ status: 429, body: { code: "rate_limited" } });
  });
});

it("`stream: false` wins over the Accept header", async () => {
  const { key } = await account();
  const body = { message: "hi", model: "paid/echo", stream: false };
  const reply = await rest(key, "POST", "/v1/chat", body, { Accept: "text/event-stream" });
  expect(reply.headers.get("content-type")).toBe("application/json");
});

it("the answer begins before the model has ended", async () => {
  const { key } = await account();
  const started = Date.now();
  const { SELF } = await import("cloudflare:test");
  const response = await SELF.fetch("https://waypost.test/v1/chat", {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ message: question, model: "paid/slow-words", stream: true }),
  });
  const first = Date.now() - started;
  await response.text();
  const whole = Date.now() - started;
  expect(whole).toBeGreaterThan(words.length * 50 - 50);
  expect(first).toBeLessThan(whole / 2);
});
