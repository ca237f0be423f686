import { describe, expect, test } from "vitest";
import { WaypostError } from "../../errors.ts";
import { dialects, forModel } from "./dialects.ts";
import { toAnthropic } from "./fixtures/sent.ts";

/** What Anthropic refuses of a conversation that OpenAI takes. */

interface Body {
  system?: { text: string }[];
  messages: { role: string; content: { type: string; text?: string; id?: string; tool_use_id?: string }[] }[];
}

const chat = (messages: object[]) => dialects["openai-chat"].decode({ model: "m", max_tokens: 99, messages }).options;
const sent = async (messages: object[]) => (await toAnthropic(chat(messages))) as unknown as Body;
const hello = { role: "user", content: "Hello" };
const part = (text: string) => ({ type: "text", text });

describe("texts without a word", () => {
  test.each(["", " \n"])("%j is no instruction", async (content) => {
    expect(await sent([{ role: "system", content }, hello])).not.toHaveProperty("system");
  });

  test.each<[string, object[], string[][]]>([
    ["a message", [hello, { role: "user", content: "" }], [["Hello"]]],
    ["parts", [{ role: "user", content: [part(""), part("Hello"), part(" ")] }], [["Hello"]]],
    [
      "a turn of the model",
      [hello, { role: "assistant", content: " " }, { role: "user", content: "You?" }],
      [["Hello", "You?"]],
    ],
    [
      "what is said beside others",
      [hello, { role: "assistant", content: [part(""), part("Hi.")] }, hello],
      [["Hello"], ["Hi."], ["Hello"]],
    ],
  ])("%s is left out", async (_, messages, texts) => {
    const body = await sent(messages);
    expect(body.messages.map(({ content }) => content.map(({ text }) => text))).toEqual(texts);
  });

  test("a picture beside them stays", async () => {
    const picture = { type: "image_url", image_url: { url: "https://example.com/a.png" } };
    const { messages } = await sent([{ role: "user", content: [part(""), picture] }]);
    expect(messages[0]?.content.map(({ type }) => type)).toEqual(["image"]);
  });
});

describe("nothing to answer", () => {
  const responses = (over: object) => dialects["openai-responses"].decode({ model: "m", ...over }).options;
  const claude = { provider: "anthropic", name: "claude-haiku-4-5" };

  test.each([
    ["messages", chat([{ role: "user", content: "" }])],
    [
      "messages",
      chat([
        { role: "system", content: "" },
        { role: "user", content: [part(" ")] },
      ]),
    ],
    ["input", responses({ input: "" })],
    ["input", responses({ input: [{ role: "user", content: [{ type: "input_text", text: "" }] }] })],
  ])("is refused, naming %s", (field, options) => {
    let error: unknown;
    try {
      forModel(options, claude, field);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(WaypostError);
    expect(error).toMatchObject({ code: "invalid_input", extras: { issues: [{ path: field }] } });
  });

  test("but instructions are asked as the user's", async () => {
    const body = await sent([
      { role: "system", content: "Be brief." },
      { role: "developer", content: "Name a river." },
    ]);
    expect(body).not.toHaveProperty("system");
    expect(body.messages).toMatchObject([{ role: "user", content: [part("Be brief."), part("Name a river.")] }]);
    const only = await toAnthropic(responses({ instructions: "Name a river.", input: "" }));
    expect(only.messages).toMatchObject([{ role: "user", content: [part("Name a river.")] }]);
  });
});

describe("ids of tool calls", () => {
  const called = (...ids: string[]) => ({
    role: "assistant",
    content: null,
    tool_calls: ids.map((id) => ({ id, type: "function", function: { name: "weather", arguments: "{}" } })),
  });
  const told = (id: string) => ({ role: "tool", tool_call_id: id, content: `of ${id}` });

  async function idsOf(...ids: string[]): Promise<string[]> {
    const { messages } = await sent([hello, called(...ids), ...ids.map(told)]);
    const uses = messages[1]?.content.map(({ id }) => id);
    expect(messages[2]?.content.map(({ tool_use_id }) => tool_use_id)).toEqual(uses);
    return uses as string[];
  }

  test("that Anthropic takes are kept", async () => {
    expect(await idsOf("call_1", "toolu-2")).toEqual(["call_1", "toolu-2"]);
  });

  test("that it does not take are changed alike for a call and its result", async () => {
    expect(await idsOf("functions.get_weather:0")).toEqual(["functions_get_weather_0"]);
    for (const id of await idsOf("é", "🙂", "a b", "x\n", "日本")) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
  });

  test("that differ stay different, whichever comes first", async () => {
    const ids = ["a:0", "a.0", "a_0", "a_0_2", "a/0", "a_0_2_2"];
    for (const order of [ids, [...ids].reverse()]) {
      const given = await idsOf(...order);
      expect(new Set(given).size).toBe(ids.length);
      for (const id of given) expect(id).toMatch(/^[a-zA-Z0-9_-]+$/);
      expect(await idsOf(...order)).toEqual(given);
    }
  });

  test("of earlier turns do not change as the conversation goes on", async () => {
    const [first] = await idsOf("a:0");
    expect((await idsOf("a:0", "a_0"))[0]).toBe(first);
  });

  test("are left alone for other providers", () => {
    const options = chat([hello, called("a:0"), told("a:0")]);
    expect(forModel(options, { provider: "groq", name: "x" }).prompt).toEqual(options.prompt);
  });
});
