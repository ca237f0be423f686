import { describe, expect, it } from "vitest";
import { LEAK } from "../../test/provider_run.ts";
import type { ErrorCode } from "../errors.ts";
import { type Author, readRefusal, waitOf } from "./refusals.ts";

const AUTHORS: Author[] = ["caller", "converted", "server"];
const read = (status: number, body: object | string = "", headers: Record<string, string> = {}, author?: Author) =>
  readRefusal(
    new Response(null, { status, headers }),
    typeof body === "string" ? body : JSON.stringify(body),
    author ?? "caller",
  );
const openai = (fields: object) => ({ error: { message: "secret words", type: "invalid_request_error", ...fields } });
const anthropic = (type: string, message = "secret words") => ({ type: "error", error: { type, message } });

describe("a refusal is the same, whoever wrote the request", () => {
  it.each<[number, object | string, Record<string, string>, ErrorCode, number | undefined]>([
    [429, openai({ code: "rate_limit_exceeded" }), {}, "provider_busy", 5],
    [429, "", { "retry-after": "7" }, "provider_busy", 7],
    [429, "", { "retry-after": "soon" }, "provider_busy", 5],
    [429, openai({ code: "insufficient_quota" }), { "retry-after": "7" }, "provider_refused", undefined],
    [429, openai({ type: "insufficient_quota", code: null }), {}, "provider_refused", undefined],
    [529, anthropic("overloaded_error"), { "retry-after": "7" }, "provider_busy", 7],
    [529, "", {}, "provider_busy", 5],
    [503, "", {}, "provider_failed", undefined],
    [503, "", { "retry-after": "7" }, "provider_busy", 7],
    [500, "", {}, "provider_failed", undefined],
    [502, "<html>", { "retry-after": "7" }, "provider_failed", 7],
    [408, "", {}, "provider_timeout", undefined],
    [413, anthropic("request_too_large"), {}, "context_too_long", undefined],
    [400, openai({ code: "context_length_exceeded", param: "messages" }), {}, "context_too_long", undefined],
    [
      400,
      anthropic("invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
      {},
      "context_too_long",
      undefined,
    ],
    [400, { object: "error", message: "This model's maximum context length is 9" }, {}, "context_too_long", undefined],
    [400, anthropic("invalid_request_error", "Your credit balance is too low"), {}, "provider_refused", undefined],
    [
      400,
      [{ error: { code: 400, message: "API key not valid. Please pass a valid API key." } }],
      {},
      "provider_refused",
      undefined,
    ],
    [400, openai({ param: "model" }), {}, "provider_refused", undefined],
    [400, { errors: [{ code: 5007, message: "No such model x or task" }] }, {}, "provider_refused", undefined],
    [401, openai({ code: "invalid_api_key" }), {}, "provider_refused", undefined],
    [402, "", {}, "provider_refused", undefined],
    [403, "", {}, "provider_refused", undefined],
    [404, openai({ message: "Unknown request URL" }), {}, "provider_refused", undefined],
    [302, "", {}, "provider_refused", undefined],
    [400, "", {}, "invalid_input", undefined],
    [400, "null", {}, "invalid_input", undefined],
    [400, { error: "secret words" }, {}, "invalid_input", undefined],
    [422, { detail: [{ msg: "secret words" }] }, {}, "invalid_input", undefined],
    [400, openai({ code: "unsupported_value", param: "temperature" }), {}, "invalid_input", undefined],
  ])("%d %j %j is %s", (status, body, headers, code, retry_after) => {
    for (const author of AUTHORS) {
      const refusal = read(status, body, headers, author);
      expect([author, refusal.code, refusal.extras.retry_after]).toEqual([author, code, retry_after]);
      expect(JSON.stringify(refusal)).not.toMatch(LEAK);
      expect(refusal.what).not.toContain("credit");
    }
  });
});

describe("a request that is not accepted", () => {
  const field = openai({ code: "unsupported_value", param: "messages[0].role" });

  it("names the field, as the caller's own only where the caller wrote it", () => {
    expect(read(400, field)).toMatchObject({
      what: "did not accept the request: status 400 (unsupported_value, field messages[0].role)",
      extras: {
        issues: [{ path: "messages[0].role", message: "unsupported_value" }],
        provider_code: "unsupported_value",
      },
    });
    for (const author of ["converted", "server"] as const) {
      expect(read(400, field, {}, author)).toMatchObject({ code: "invalid_input", what: read(400, field).what });
      expect(read(400, field, {}, author).extras).toEqual({ provider_code: "unsupported_value" });
    }
  });

  it.each([
    ["stream_options", "unknown_parameter", "provider_refused"],
    ["max_tokens", "unsupported_parameter", "provider_refused"],
    ["max_tokens", "invalid_value", "invalid_input"],
    ["temperature", "unsupported_parameter", "invalid_input"],
    ["messages", "content_filter", "invalid_input"],
  ])("for its field %s (%s), written by this server, is %s", (param, code, expected) => {
    expect(read(400, openai({ param, code }), {}, "server").code).toBe(expected);
    expect(read(400, openai({ param, code }), {}, "converted").code).toBe("invalid_input");
  });

  it("keeps nothing that is no plain name", () => {
    for (const value of ["two words", "sk_live_secret", "x".repeat(81), 7, { a: 1 }, "http://secret"]) {
      const refusal = read(400, openai({ code: value, param: value }));
      expect(refusal.what).toBe("did not accept the request: status 400 (invalid_request_error)");
    }
  });

  it("for a model that is not there: the caller's who named it, the operator's where this server asks", () => {
    const gone = anthropic("not_found_error", "model: claude-secret");
    expect(AUTHORS.map((author) => read(404, gone, {}, author).code)).toEqual([
      "model_unknown",
      "model_unknown",
      "provider_refused",
    ]);
  });
});

describe("how long a provider asks to wait", () => {
  const NOW = Date.UTC(2026, 0, 1);
  it.each<[Record<string, string>, number | undefined]>([
    [{}, undefined],
    [{ "retry-after": "7" }, 7],
    [{ "retry-after": " 1.5 " }, 1.5],
    [{ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" }, 30],
    [{ "retry-after": "Wed, 31 Dec 2025 00:00:00 GMT" }, 0],
    [{ "retry-after": "-3" }, undefined],
    [{ "retry-after": "999999" }, 3600],
    [{ "retry-after-ms": "250", "retry-after": "7" }, 0.25],
    [{ "retry-after-ms": "1500.25" }, 1.501],
    [{ "retry-after-ms": "0", "retry-after": "7" }, 0],
    [{ "retry-after-ms": "soon", "retry-after": "7" }, 7],
    [{ "retry-after-ms": "9999999999" }, 3600],
  ])("%j is %s s", (headers, seconds) => expect(waitOf(new Headers(headers), NOW)).toBe(seconds));

  it("is whole seconds for the caller, never less, and exact for our own next try", () => {
    const busy = read(429, "", { "retry-after-ms": "250" });
    expect([busy.waitS, busy.extras.retry_after]).toEqual([0.25, 1]);
    expect(read(429, "", { "retry-after-ms": "1500" }).extras.retry_after).toBe(2);
  });
});
