import { beforeAll, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/errors.ts";
import { breakers } from "../../src/models/routing/breaker.ts";
import { rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import { type Caller, expectProblem, furnished, refused, send, sendMcp, toolCall } from "./refusal.ts";

configureModels();

let who: Caller;
beforeAll(async () => {
  who = await furnished();
});

const input = (model: string, more: object = {}) => ({
  message: "one two three four",
  model,
  session_id: "kept",
  ...more,
});
const doors = {
  REST: (body: object) => send("/v1/chat", { key: who.key, body: JSON.stringify(body) }),
  "REST, streamed": (body: object) =>
    send("/v1/chat", { key: who.key, body: JSON.stringify({ ...body, stream: true }) }),
  MCP: (body: object) => sendMcp(who.key, toolCall("chat", body, true)),
  "MCP of 2025": (body: object) => sendMcp(who.key, toolCall("chat", body)),
};

describe.each(Object.entries(doors))("a provider over %s", (_, ask) => {
  const failures: [string, ErrorCode][] = [
    ["gone/echo", "provider_unreachable"],
    ["paid/wrong-content-type", "provider_failed"],
    ["paid/fail-302", "provider_refused"],
    ["paid/fail-400", "invalid_input"],
    ["paid/fail-400-context", "context_too_long"],
    ["paid/fail-401", "provider_refused"],
    ["paid/fail-429-retry-after", "provider_busy"],
    ["paid/fail-429-quota", "provider_refused"],
    ["paid/fail-500", "provider_failed"],
    ["paid/fail-503", "provider_failed"],
  ];
  it.each(failures)("%s ends in %s: nothing stored, nothing charged", async (model, code) => {
    const problem = await refused(who, () => ask(input(model)), code);
    if (code === "provider_busy") expect(problem.retry_after).toBe(7);
  });

  it("one that fails does not use up an idempotency key", async () => {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const call = (model: string) =>
      send("/v1/chat", { key: who.key, body: JSON.stringify(input(model, { session_id: "again" })), headers });
    expectProblem(await call("paid/fail-500"), "provider_failed", [who.key]);
    expect((await call("paid/tokens-1-1")).status).toBe(200);
  });
});

describe("a provider that breaks off after it began to answer", () => {
  const breaks: [string, ErrorCode][] = [
    ["cut-mid-stream", "provider_failed"],
    ["end-mid-stream", "provider_failed"],
    ["malformed-chunk", "provider_failed"],
    ["nonsense-chunk", "provider_failed"],
    ["error-chunk", "provider_failed"],
    ["huge-line", "provider_failed"],
  ];
  it.each(breaks)(
    "%s: no turn is stored, nothing is charged, and the record names model and error, over every door",
    async (model, code) => {
      for (const ask of [doors.REST, doors["MCP of 2025"], doors.MCP]) {
        breakers.clear();
        await refused(who, () => ask(input(`paid/${model}`)), code);
        const [newest] = (await rest(who.key, "GET", "/v1/usage?recent=2")).body.recent.slice(1);
        expect(newest).toMatchObject({ model: `paid/${model}`, status: code, cost_nano: 0 });
      }
    },
    20_000,
  );
});
