import type { LanguageModelV4Content, LanguageModelV4StreamPart } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { dialects } from "./dialects.ts";
import { answerOf, randomUsage, streamOf } from "./fixtures/answers.ts";
import { encoded, FACTS, openai, streamed } from "./fixtures/clients.ts";
import { type Sent, toAnthropic, toChat } from "./fixtures/sent.ts";

/** Claude's signed thoughts, through a client of the Responses API and back. */

const SONNET = "claude-sonnet-4-5";
const INCLUDE = { include: ["reasoning.encrypted_content"] };
const signed = (signature: string) => ({ anthropic: { signature } });
const CALL: LanguageModelV4Content = { type: "tool-call", toolCallId: "c1", toolName: "weather", input: "{}" };
const CONTENT: LanguageModelV4Content[] = [
  { type: "reasoning", text: "Hm — 日本", providerMetadata: signed("SIG+/=") },
  { type: "reasoning", text: "", providerMetadata: { anthropic: { redactedData: "SEALED" } } },
  CALL,
];
const answer = (content = CONTENT) => answerOf(content, "tool-calls", randomUsage(randomFrom(1)));

const outputOf = (request: Sent, content = CONTENT): Sent[] =>
  dialects["openai-responses"].encodeWhole(answer(content), { ...FACTS, request }).output as Sent[];

const decoded = (output: object[]) => {
  const told = { type: "function_call_output", call_id: "c1", output: "dry" };
  const input = [{ role: "user", content: "Rain?" }, ...output, told];
  const tools = [{ type: "function", name: "weather" }];
  const body = { model: "m", input, tools, reasoning: { effort: "low" }, max_output_tokens: 8_000 };
  return dialects["openai-responses"].decode(body).options;
};
const turnOf = ({ messages }: Sent) => (messages as { role: string; content: Sent[] }[])[1]?.content;

describe("asked for", () => {
  test("they come back to Claude as they were, and it goes on thinking", async () => {
    const sent = await toAnthropic(decoded(outputOf(INCLUDE)), SONNET);
    expect(turnOf(sent)).toMatchObject([
      { type: "thinking", thinking: "Hm — 日本", signature: "SIG+/=" },
      { type: "redacted_thinking", data: "SEALED" },
      { type: "tool_use", id: "c1" },
    ]);
    expect(sent.thinking).toMatchObject({ type: "enabled" });
  });

  test("the official client gets them from a stream as from a whole answer", async () => {
    const parts: LanguageModelV4StreamPart[] = [
      { type: "reasoning-start", id: "0" },
      { type: "reasoning-delta", id: "0", delta: "Hm — 日本" },
      { type: "reasoning-delta", id: "0", delta: "", providerMetadata: signed("SIG+/=") },
      { type: "reasoning-end", id: "0" },
      { type: "reasoning-start", id: "1", providerMetadata: { anthropic: { redactedData: "SEALED" } } },
      { type: "reasoning-end", id: "1" },
      ...streamOf(randomFrom(1), answer([CALL])).slice(2),
    ];
    const wire = encoded("openai-responses", parts, { ...FACTS, request: INCLUDE });
    const client = openai(() => streamed(randomFrom(1), wire));
    const final = await client.responses.stream({ model: "m", input: "Rain?" }).finalResponse();
    expect(final.output).toMatchObject(outputOf(INCLUDE));
    const done = [...wire.matchAll(/^data: (.*)$/gm)]
      .map(([, data]) => JSON.parse(data ?? ""))
      .filter(({ type }) => type === "response.output_item.done");
    expect(done.map(({ item }) => item)).toMatchObject(outputOf(INCLUDE));
  });

  test("they are base64, and open to no eye", () => {
    const [thought, sealed] = outputOf(INCLUDE);
    expect(thought?.encrypted_content).toMatch(/^[A-Za-z0-9+/]+=*$/);
    expect(JSON.stringify([thought, sealed])).not.toMatch(/SIG|SEALED|anthropic/);
  });

  test("a thought that nobody signed has none", () => {
    expect(outputOf(INCLUDE, [{ type: "reasoning", text: "Hm" }])[0]).not.toHaveProperty("encrypted_content");
  });

  test("they are shown to nobody but Anthropic", async () => {
    const sent = JSON.stringify(await toChat(decoded(outputOf(INCLUDE)), "groq", "some-model"));
    expect(sent).not.toMatch(/Hm|SIG|SEALED|"reasoning_content"/);
  });
});

test.each([{}, { include: null }, { include: [] }, { include: ["file_search_call.results"] }])(
  "not asked for (%j), they are left out",
  (request) => {
    expect(JSON.stringify(outputOf(request))).not.toContain("encrypted_content");
  },
);

describe("what is not ours is passed over", () => {
  const made = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
  test.each([
    ["garbage", "%%%"],
    ["another provider's words", "gAAAAABo_sealed_by_another"],
    ["a number", made(3)],
    ["null", made(null)],
    ["another provider's mark", made({ by: "openai", signature: "SIG" })],
    ["no mark", made({ signature: "SIG" })],
    ["a signature that is none", made({ by: "anthropic", signature: 3 })],
    ["nothing signed", made({ by: "anthropic" })],
    ["nothing", ""],
    ["null itself", null],
    ["another type", { signature: "SIG" }],
  ])("%s", async (_, encrypted_content) => {
    const item = { type: "reasoning", summary: [{ type: "summary_text", text: "Hm" }], encrypted_content };
    const call = { type: "function_call", call_id: "c1", name: "weather", arguments: "{}" };
    const sent = await toAnthropic(decoded([item, call]), SONNET);
    expect(turnOf(sent)).toMatchObject([{ type: "tool_use", id: "c1" }]);
    expect(sent.thinking).toEqual({ type: "disabled" });
  });
});
