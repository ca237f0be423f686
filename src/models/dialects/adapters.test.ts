import { describe, expect, test } from "vitest";
import prices from "../prices.json" with { type: "json" };
import { dialects } from "./dialects.ts";
import { CHAT, MESSAGES, RESPONSES } from "./fixtures/requests.ts";
import { type Sent, toAnthropic, toChat } from "./fixtures/sent.ts";

/** What a decoded request becomes on its way to a provider of another dialect, by the AI SDK's own clients. */

describe("messages to a chat completion", () => {
  test("say the same", async () => {
    // Of whose model nothing is known, so that nothing is kept from it.
    const sent = await toChat(dialects["anthropic-messages"].decode(MESSAGES).options, "server", "some-model");
    expect(sent).toMatchObject({
      max_tokens: 500,
      temperature: 0.2,
      stop: ["END"],
      reasoning_effort: "low",
      parallel_tool_calls: false,
      tool_choice: "required",
      response_format: { type: "json_schema", json_schema: { strict: true } },
      tools: [{ type: "function", function: { name: "weather", description: "Weather now" } }],
    });
    const messages = sent.messages as Sent[];
    expect(messages.map(({ role }) => role)).toEqual(["system", "user", "assistant", "tool", "tool", "user"]);
    expect(messages[2]).toMatchObject({ content: "I look.", tool_calls: [{ id: "toolu_1" }, { id: "toolu_2" }] });
    expect(messages[2]).not.toHaveProperty("reasoning_content");
    expect(messages[3]).toMatchObject({ tool_call_id: "toolu_1", content: "sunny" });
  });
});

describe("OpenAI's requests to messages", () => {
  test.each([
    ["openai-chat", CHAT],
    ["openai-responses", RESPONSES],
  ] as const)("%s says the same", async (name, body) => {
    const { response_format: _, text: __, ...plain } = body as Sent;
    const sent = await toAnthropic(dialects[name].decode(plain).options);
    expect(sent).toMatchObject({ system: [{ type: "text", text: "Be brief." }] });
    const messages = sent.messages as { role: string; content: Sent[] }[];
    expect(messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    const types = messages[0]?.content.map(({ type }) => type);
    expect(new Set(types)).toEqual(new Set(["text", "image", "document"]));
    expect(messages[1]?.content.filter(({ type }) => type === "tool_use")).toMatchObject([
      { id: "call_1", name: "weather", input: { city: "Rome" } },
      { id: "call_2", name: "weather", input: {} },
    ]);
    expect(messages[2]?.content).toMatchObject([
      { type: "tool_result", tool_use_id: "call_1", content: "sunny" },
      { type: "tool_result", tool_use_id: "call_2", content: "no city" },
    ]);
    expect((sent.tool_choice as Sent).disable_parallel_tool_use).toBe(true);
  });
});

describe("thinking", () => {
  const CLAUDES = [...prices.providers.anthropic.flatMap(({ names }) => names), "claude-of-tomorrow"];

  test.each(CLAUDES)("of %s never takes more than is paid for", async (name) => {
    const message = { role: "user", content: "x" };
    const ask = { model: "m", messages: [message] };
    for (const most of [100, 1_500, 3_000, 20_000]) {
      for (const reasoning_effort of ["minimal", "low", "medium", "high", "xhigh", "max", "none"]) {
        const chat = dialects["openai-chat"].decode({ ...ask, reasoning_effort, max_tokens: most });
        expect((await toAnthropic(chat.options, name)).max_tokens).toBeLessThanOrEqual(most);
      }
      for (const thinking of [
        { type: "enabled", budget_tokens: 2_048 },
        { type: "adaptive" },
        { type: "disabled" },
        { type: "between_tools" },
      ]) {
        const messages = dialects["anthropic-messages"].decode({ ...ask, thinking, max_tokens: most });
        const sent = await toAnthropic(messages.options, name);
        expect(sent.max_tokens).toBeLessThanOrEqual(most);
        const budget = (sent.thinking as { budget_tokens?: number } | undefined)?.budget_tokens ?? 0;
        expect(budget).toBeLessThan(most);
      }
    }
  });

  test("of a model that is given a number of tokens is within the limit, which is kept whole", async () => {
    const ask = { model: "m", messages: [{ role: "user", content: "x" }], reasoning_effort: "high", max_tokens: 3_000 };
    const { options } = dialects["openai-chat"].decode(ask);
    expect(await toAnthropic(options)).toMatchObject({
      max_tokens: 3_000,
      thinking: { type: "enabled", budget_tokens: 1_800 },
    });
    expect(await toAnthropic(options, "claude-opus-5")).toMatchObject({
      max_tokens: 3_000,
      thinking: { type: "adaptive" },
    });
  });
});
