import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { type ErrorCode, errorCatalogue, WaypostError } from "../../errors.ts";
import { dialects } from "./dialects.ts";
import { anthropic, FACTS, json, openai, streamed } from "./fixtures/clients.ts";
import type { DialectName } from "./types.ts";

/** Errors as the official clients raise them, each answered once: what they repeat shows in the number of requests. */

const CODES = Object.keys(errorCatalogue) as ErrorCode[];
type ErrorClass = abstract new (...given: never[]) => Error;
const ASK = { model: "m", messages: [{ role: "user" as const, content: "x" }] };

async function raised(name: DialectName, code: ErrorCode, extras = {}): Promise<{ error: unknown; requests: number }> {
  const failure = new WaypostError(code, "What happened", extras);
  const { status, headers, body } = dialects[name].encodeError(failure, "req_1");
  let requests = 0;
  const answer = () => {
    requests++;
    return json(body, status, { ...headers, "retry-after-ms": "1" });
  };
  const asked =
    name === "anthropic-messages"
      ? anthropic(answer).messages.create({ ...ASK, max_tokens: 9 }, { maxRetries: 1 })
      : openai(answer).chat.completions.create(ASK, { maxRetries: 1 });
  return {
    error: await asked.then(
      () => undefined,
      (error: unknown) => error,
    ),
    requests,
  };
}

describe("raised by the clients", () => {
  test.each<[ErrorCode, ErrorClass, ErrorClass, string]>([
    ["invalid_input", OpenAI.BadRequestError, Anthropic.BadRequestError, "invalid_request_error"],
    ["context_too_long", OpenAI.BadRequestError, Anthropic.BadRequestError, "invalid_request_error"],
    ["unauthenticated", OpenAI.AuthenticationError, Anthropic.AuthenticationError, "authentication_error"],
    ["key_revoked", OpenAI.AuthenticationError, Anthropic.AuthenticationError, "authentication_error"],
    ["insufficient_scope", OpenAI.PermissionDeniedError, Anthropic.PermissionDeniedError, "permission_error"],
    ["model_unknown", OpenAI.NotFoundError, Anthropic.NotFoundError, "not_found_error"],
    ["idempotency_conflict", OpenAI.ConflictError, Anthropic.ConflictError, "conflict_error"],
    ["rate_limited", OpenAI.RateLimitError, Anthropic.RateLimitError, "rate_limit_error"],
    ["payment_required", OpenAI.RateLimitError, Anthropic.APIError, "billing_error"],
    ["budget_exceeded", OpenAI.RateLimitError, Anthropic.APIError, "billing_error"],
    ["provider_busy", OpenAI.InternalServerError, Anthropic.InternalServerError, "overloaded_error"],
    ["provider_timeout", OpenAI.InternalServerError, Anthropic.InternalServerError, "timeout_error"],
    ["provider_failed", OpenAI.InternalServerError, Anthropic.InternalServerError, "api_error"],
    ["internal", OpenAI.InternalServerError, Anthropic.InternalServerError, "api_error"],
  ])("%s", async (code, openaiClass, anthropicClass, type) => {
    const ofOpenai = await raised("openai-chat", code);
    expect(ofOpenai.error).toBeInstanceOf(openaiClass);
    const ofAnthropic = await raised("anthropic-messages", code);
    expect(ofAnthropic.error).toBeInstanceOf(anthropicClass);
    expect(ofAnthropic.error).toMatchObject({ type, requestID: "req_1" });
    expect(ofOpenai.error).toMatchObject({ requestID: "req_1" });
  });

  test("every error says what happened and what to do next, and only what can succeed is repeated", async () => {
    for (const code of CODES) {
      for (const name of ["openai-chat", "anthropic-messages"] as const) {
        const { error, requests } = await raised(name, code);
        const { message } = error as Error;
        expect(message).toContain(`${code}: What happened.`);
        // Anthropic's client shows the body as it came.
        expect(message.replaceAll('\\"', '"')).toContain(errorCatalogue[code].next);
        expect(requests, `${name} ${code}`).toBe(errorCatalogue[code].retry === "never" ? 1 : 2);
      }
    }
  });

  test("codes that programs look for", async () => {
    const code = async (of: ErrorCode) => ((await raised("openai-chat", of)).error as { code: string }).code;
    expect(await code("context_too_long")).toBe("context_length_exceeded");
    expect(await code("payment_required")).toBe("insufficient_quota");
    expect(await code("unauthenticated")).toBe("invalid_api_key");
    expect(await code("model_unpriced")).toBe("model_unpriced");
    const issues = [{ path: "messages.0.role", message: "x" }];
    expect((await raised("openai-chat", "invalid_input", { issues })).error).toMatchObject({
      param: "messages.0.role",
    });
  });
});

describe("in the middle of a stream", () => {
  const failure = new WaypostError("provider_failed", "The provider broke off");
  const begun = (name: DialectName) => {
    const encoder = dialects[name].encodeStream(FACTS);
    const said = encoder.push({ type: "text-delta", id: "0", delta: "Hel" });
    return () => streamed(randomFrom(5), said + encoder.fail(failure));
  };

  test("chat completions", async () => {
    const stream = await openai(begun("openai-chat")).chat.completions.create({ ...ASK, stream: true });
    await expect(drained(stream)).rejects.toThrow("provider_failed: The provider broke off.");
  });

  test("messages", async () => {
    const asked = anthropic(begun("anthropic-messages")).messages.create({ ...ASK, max_tokens: 9, stream: true });
    await expect(drained(await asked)).rejects.toMatchObject({
      type: "api_error",
      message: expect.stringContaining("provider_failed: The provider broke off."),
    });
  });

  test("responses", async () => {
    const client = openai(begun("openai-responses"));
    const stream = await client.responses.create({ model: "m", input: "x", stream: true });
    await expect(drained(stream)).rejects.toThrow("provider_failed: The provider broke off.");
    const wire = await begun("openai-responses")().text();
    expect(wire.match(/^event: .*$/gm)?.at(-1)).toBe("event: response.failed");
  });
});

async function drained(stream: AsyncIterable<unknown>): Promise<number> {
  let events = 0;
  for await (const _ of stream) events++;
  return events;
}

test("money that only running calls hold is worth another try, and that is said", () => {
  for (const { encodeError } of Object.values(dialects)) {
    const held = new WaypostError("payment_required", "Running calls hold it.", { retry_after: 5 });
    const gone = new WaypostError("payment_required", "There is none.");
    expect(encodeError(held, "req_1").headers["x-should-retry"]).toBe("true");
    expect(encodeError(gone, "req_1").headers["x-should-retry"]).toBe("false");
  }
});
