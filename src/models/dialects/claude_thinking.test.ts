import { describe, expect, test } from "vitest";
import { dialects } from "./dialects.ts";
import { type Sent, toAnthropic } from "./fixtures/sent.ts";

/** When Claude may think: never where Anthropic would refuse the request for it. */

const SONNET = "claude-sonnet-4-5";
const OPUS = "claude-opus-4-6";
const tools = [{ type: "function", function: { name: "weather" } }];
const named = { type: "function", function: { name: "weather" } };
const asked = { role: "user", content: "Rain?" };
const called = {
  role: "assistant",
  content: null,
  tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: "{}" } }],
};
const told = { role: "tool", tool_call_id: "c1", content: "dry" };

function chat(name: string, over: Sent): Promise<Sent> {
  const body = { model: "m", max_tokens: 8_000, reasoning_effort: "high", tools, messages: [asked], ...over };
  return toAnthropic(dialects["openai-chat"].decode(body).options, name);
}

describe("a tool that must be called", () => {
  test.each([
    [SONNET, "low", "required", { type: "any" }],
    [SONNET, "high", named, { type: "tool", name: "weather" }],
    [OPUS, "low", named, { type: "tool", name: "weather" }],
    [OPUS, "high", "required", { type: "any" }],
    ["claude-opus-5", "max", named, { type: "tool", name: "weather" }],
  ])("%s is made to call it, without thoughts (%s)", async (name, reasoning_effort, tool_choice, choice) => {
    const sent = await chat(name, { reasoning_effort, tool_choice });
    expect(sent.tool_choice).toEqual(choice);
    expect(sent).toMatchObject({ thinking: { type: "disabled" }, max_tokens: 8_000 });
    expect(sent.tools).toHaveLength(1);
  });

  test.each(["auto", "none"])("is none when the choice is %s", async (tool_choice) => {
    expect((await chat(SONNET, { tool_choice })).thinking).toMatchObject({ type: "enabled" });
    expect((await chat(OPUS, { tool_choice })).thinking).toMatchObject({ type: "adaptive" });
  });

  test("says nothing of thinking to a model that was not asked to think", async () => {
    const sent = await chat(SONNET, { reasoning_effort: undefined, tool_choice: "required" });
    expect(sent).not.toHaveProperty("thinking");
  });
});

describe("results of tools", () => {
  const thinkingAfter = async (messages: object[], name = SONNET) => (await chat(name, { messages })).thinking;
  const off = { type: "disabled" };
  const on = { type: "enabled", budget_tokens: 4_800 };

  test.each<[string, object[], object]>([
    ["of a turn without its thoughts end them", [asked, called, told], off],
    ["that the user adds to do too", [asked, called, told, asked], off],
    ["of several calls do too", [asked, called, told, called, told], off],
    ["of an earlier turn do not", [asked, called, told, { role: "assistant", content: "Dry." }, asked], on],
  ])("%s", async (_, messages, thinking) => {
    expect(await thinkingAfter(messages)).toEqual(thinking);
  });

  test("leave a model alone that decides itself when to think", async () => {
    expect(await thinkingAfter([asked, called, told], OPUS)).toMatchObject({ type: "adaptive" });
  });

  const signed = { type: "thinking", thinking: "Hm", signature: "sig" };
  const sealed = { type: "redacted_thinking", data: "secret" };
  const use = (id: string) => ({ type: "tool_use", id, name: "weather", input: {} });
  const turn = (...content: object[]) => ({ role: "assistant", content });
  const result = (id: string) => ({
    role: "user",
    content: [{ type: "tool_result", tool_use_id: id, content: "dry" }],
  });

  test.each<[string, object[], string]>([
    ["with its signed thought", [turn(signed, use("a")), result("a")], "enabled"],
    ["with its sealed thought", [turn(sealed, use("a")), result("a")], "enabled"],
    ["that goes on without another", [turn(signed, use("a")), result("a"), turn(use("b")), result("b")], "enabled"],
    ["whose thought is not signed", [turn({ ...signed, signature: "" }, use("a")), result("a")], "disabled"],
    ["whose words come before", [turn({ type: "text", text: "So" }, signed, use("a")), result("a")], "disabled"],
  ])("of a turn %s", async (_, messages, type) => {
    const tools = [{ name: "weather", input_schema: { type: "object" } }];
    const thinking = { type: "enabled", budget_tokens: 2_048 };
    const body = { model: "m", max_tokens: 8_000, tools, thinking, messages: [asked, ...messages] };
    const sent = await toAnthropic(dialects["anthropic-messages"].decode(body).options, SONNET);
    expect(sent.thinking).toMatchObject({ type });
    expect(sent.max_tokens).toBe(8_000);
  });
});
