import { env } from "cloudflare:test";
import { expect, inject, it } from "vitest";
import { recordedCall } from "../../../test/worker/call.ts";
import type { Env } from "../../env.ts";
import type { WaypostError } from "../../errors.ts";
import type { DialectName } from "../../models/dialects/types.ts";
import { answerIn } from "./answer.ts";

const base = `${inject("upstreamUrl")}/v1`;
const price = { input: "3", output: "15" };
const settings: Env = {
  ...(env as unknown as Env),
  OPENAI_API_KEY: "sk-broken-tests",
  OPENAI_BASE_URL: base,
  MODEL_PRICES: JSON.stringify({ "openai/slow-words": price }),
};
const input = Array.from({ length: 60 }, (_, i) => `tide${i}`).join(" ");

/** A call whose time is up in the middle of its answer: what was sent, and how it failed. */
async function late(dialect: DialectName, body: object) {
  const call = recordedCall(settings, { deadlineMs: 700 });
  const asked = { model: "openai/slow-words", stream: true, ...body };
  const error = (await answerIn(dialect)(call, asked).catch((thrown) => thrown)) as WaypostError;
  const sent = call.events.map((event) => (event.type === "bytes" ? new TextDecoder().decode(event.bytes) : ""));
  return { call, code: error.code, wire: sent.join("") };
}

it("a response whose call's time is up ends under its own id, with the next number, and is billed", async () => {
  const { call, code, wire } = await late("openai-responses", { input });
  const told = [...wire.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json as string));
  expect(told.map(({ sequence_number }) => sequence_number)).toEqual(told.map((_, i) => i));
  expect(told.filter(({ type }) => type === "response.created")).toHaveLength(1);
  expect(told.slice(-2)).toMatchObject([
    { type: "error", code: "deadline_exceeded" },
    { type: "response.failed", response: { id: told[0].response.id, status: "failed" } },
  ]);
  expect([code, call.billedFailure]).toEqual(["deadline_exceeded", true]);
  expect(call.charges[0]?.usage.output).toBeGreaterThan(0);
});

it("a chat completion whose call's time is up ends with an error", async () => {
  const { code, wire } = await late("openai-chat", { messages: [{ role: "user", content: input }] });
  expect(wire).toMatch(/data: \{"error":\{"message":"deadline_exceeded: [^\n]+\n\n$/);
  expect(code).toBe("deadline_exceeded");
});
