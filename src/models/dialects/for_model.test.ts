import { describe, expect, test } from "vitest";
import { dialects, forModel } from "./dialects.ts";
import { MESSAGES } from "./fixtures/requests.ts";
import { type Sent, toAnthropic, toChat } from "./fixtures/sent.ts";

/** What one model is not told, though the request says it. */

const ask = { model: "m", max_tokens: 8_000, messages: [{ role: "user", content: "Hello" }] };

describe("thoughts", () => {
  const thoughts = [
    { type: "thinking", thinking: "SECRETTHOUGHT", signature: "SIG" },
    { type: "redacted_thinking", data: "SEALED" },
  ];
  const said = { type: "text", text: "Hi." };
  const messages = (content: object[]) => [...ask.messages, { role: "assistant", content }, ...ask.messages];
  const decoded = (content: object[]) =>
    dialects["anthropic-messages"].decode({ ...ask, messages: messages(content) }).options;

  test.each(["groq", "openrouter", "openai", "azure"])(
    "that Anthropic signed are not shown to %s",
    async (provider) => {
      const sent = await toChat(decoded([...thoughts, said]), provider, "some-model");
      expect(JSON.stringify(sent)).not.toMatch(/SECRETTHOUGHT|SIG|SEALED|reasoning/);
      expect(sent.messages).toMatchObject([{ role: "user" }, { role: "assistant", content: "Hi." }, { role: "user" }]);
    },
  );

  test("that were all of a message take it with them", async () => {
    const sent = await toChat(decoded(thoughts), "groq", "some-model");
    expect((sent.messages as Sent[]).map(({ role }) => role)).toEqual(["user", "user"]);
  });

  test("that nobody signed go back to a compatible server", async () => {
    const open = { type: "thinking", thinking: "Hm", signature: "" };
    const sent = await toChat(decoded([open, said]), "groq", "some-model");
    expect((sent.messages as Sent[])[1]).toMatchObject({ content: "Hi.", reasoning_content: "Hm" });
  });

  test("that Anthropic signed are shown to Anthropic", () => {
    const { options } = dialects["anthropic-messages"].decode(MESSAGES);
    const { prompt } = forModel(options, { provider: "anthropic", name: "claude-haiku-4-5" });
    expect(JSON.stringify(prompt)).toContain('"signature":"sig"');
  });
});

describe("a wish to think", () => {
  const byEffort = dialects["openai-chat"].decode({ ...ask, reasoning_effort: "low" }).options;
  const thinking = { type: "enabled", budget_tokens: 1_024 };
  const byBudget = dialects["anthropic-messages"].decode({ ...ask, thinking }).options;

  test.each([
    ["openai", "gpt-4o"],
    ["openai", "gpt-4.1-mini"],
    ["openai", "chatgpt-4o-latest"],
    ["openai", "gpt-5-chat-latest"],
    ["openai", "gpt-3.5-turbo"],
    ["openai", "ft:gpt-4o-mini-2024-07-18:org::id"],
    ["azure", "gpt-4o"],
  ])("is not told to %s/%s, which does not", async (provider, name) => {
    for (const options of [byEffort, byBudget]) {
      expect(await toChat(options, provider, name)).not.toHaveProperty("reasoning_effort");
    }
  });

  test.each([
    ["openai", "gpt-5"],
    ["openai", "o3-mini"],
    ["azure", "gpt-5-mini"],
    ["azure", "our-deployment"],
    ["openai", "model-of-ones-own"],
    ["groq", "qwen3-32b"],
    ["groq", "gpt-4o"],
    ["ollama", "llama3.2"],
  ])("is told to %s/%s", async (provider, name) => {
    for (const options of [byEffort, byBudget]) {
      expect(await toChat(options, provider, name)).toMatchObject({ reasoning_effort: "low" });
    }
  });

  test.each(["claude-3-5-haiku-latest", "claude-3-5-sonnet-20241022", "claude-3-haiku-20240307"])(
    "is not told to %s, which does not",
    async (name) => {
      for (const options of [byEffort, byBudget]) {
        const sent = await toAnthropic(options, name);
        expect(sent).not.toHaveProperty("thinking");
        expect(sent).not.toHaveProperty("output_config");
      }
    },
  );

  test.each(["claude-3-7-sonnet-latest", "claude-sonnet-4-0", "claude-haiku-4-5", "claude-of-tomorrow"])(
    "is told to %s",
    async (name) => {
      expect(await toAnthropic(byEffort, name)).toHaveProperty("thinking.type", "enabled");
    },
  );
});

describe("to Claude", () => {
  const drawn = (over: Sent) => dialects["openai-chat"].decode({ ...ask, ...over }).options;

  test("a temperature above its highest is its highest, and what it has no word for is left out", async () => {
    const over = { temperature: 1.9, top_p: 0.5, presence_penalty: 1, frequency_penalty: 1, seed: 7, verbosity: "low" };
    const { model: _, messages: __, ...sent } = await toAnthropic(drawn(over), "claude-sonnet-4-5");
    expect(sent).toEqual({ max_tokens: 8_000, temperature: 1 });
  });

  test("top_p alone is kept, and neither is sent where it thinks or refuses both", async () => {
    expect(await toAnthropic(drawn({ top_p: 0.5 }), "claude-sonnet-4-5")).toMatchObject({ top_p: 0.5 });
    for (const [name, over] of [
      ["claude-sonnet-4-5", { reasoning_effort: "low" }],
      ["claude-opus-4-8", {}],
    ] as const) {
      const sent = await toAnthropic(drawn({ temperature: 0.2, top_p: 0.5, ...over }), name);
      expect(sent).not.toHaveProperty("temperature");
      expect(sent).not.toHaveProperty("top_p");
    }
  });
});
