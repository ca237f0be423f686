import type { LanguageModelV4FilePart, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { describe, expect, test } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { WaypostError } from "../../errors.ts";
import { dialects, forModel } from "./dialects.ts";
import { randomAnswer } from "./fixtures/answers.ts";
import { FACTS } from "./fixtures/clients.ts";
import { CHAT, MESSAGES, PDF, RESPONSES } from "./fixtures/requests.ts";
import type { DialectName } from "./types.ts";

const BODIES: Record<DialectName, Record<string, unknown>> = {
  "openai-chat": CHAT,
  "anthropic-messages": MESSAGES,
  "openai-responses": RESPONSES,
};
const NAMES = Object.keys(BODIES) as DialectName[];

const promptOf = (name: DialectName): LanguageModelV4Prompt => dialects[name].decode(BODIES[name]).options.prompt;
const text = (words: string) => ({ type: "text" as const, text: words });
const call = (toolCallId: string, input: unknown) => ({ type: "tool-call", toolCallId, toolName: "weather", input });
const result = (toolCallId: string, value: string, type = "text") => ({
  type: "tool-result",
  toolCallId,
  toolName: "weather",
  output: { type, value },
});

function refusal(run: () => unknown): { code: string; path: string | undefined; detail: string } {
  try {
    run();
  } catch (error) {
    if (!(error instanceof WaypostError)) throw error;
    return { code: error.code, path: error.extras.issues?.[0]?.path, detail: error.detail };
  }
  throw new Error("was not refused");
}

describe("a conversation with tools", () => {
  test("as a chat completion", () => {
    const [system, user, ...rest] = promptOf("openai-chat");
    expect(system).toEqual({ role: "system", content: "Be brief." });
    const parts = user?.content as LanguageModelV4FilePart[];
    expect(parts.map((part) => part.mediaType ?? part.type)).toEqual(["text", "image", "image/png", "application/pdf"]);
    expect(parts[1]?.data).toEqual({ type: "url", url: new URL("https://example.com/a.png") });
    expect(parts[3]).toMatchObject({ filename: "a.pdf", data: { type: "data", data: PDF } });
    expect(rest).toEqual([
      { role: "assistant", content: [call("call_1", { city: "Rome" }), call("call_2", {})] },
      { role: "tool", content: [result("call_1", "sunny"), result("call_2", "no city")] },
    ]);
  });

  test("as messages", () => {
    const [system, user, ...rest] = promptOf("anthropic-messages");
    expect(system).toEqual({ role: "system", content: "Be brief." });
    const parts = user?.content as LanguageModelV4FilePart[];
    expect(parts.map((part) => part.mediaType ?? part.type)).toEqual([
      "text",
      "image/png",
      "image",
      "text",
      "text",
      "application/pdf",
    ]);
    const thought = { type: "reasoning", text: "Hm", providerOptions: { anthropic: { signature: "sig" } } };
    expect(rest).toEqual([
      {
        role: "assistant",
        content: [thought, text("I look."), call("toolu_1", { city: "Rome" }), call("toolu_2", {})],
      },
      { role: "tool", content: [result("toolu_1", "sunny"), result("toolu_2", "no city", "error-text")] },
      { role: "user", content: [text("And now?")] },
    ]);
  });

  test("as responses", () => {
    const [system, user, ...rest] = promptOf("openai-responses");
    expect(system).toEqual({ role: "system", content: "Be brief." });
    const parts = user?.content as LanguageModelV4FilePart[];
    expect(parts.map((part) => part.mediaType ?? part.type)).toEqual(["text", "image/png", "application/pdf"]);
    expect(rest).toEqual([
      {
        role: "assistant",
        content: [
          { type: "reasoning", text: "Hm" },
          text("I look."),
          call("call_1", { city: "Rome" }),
          call("call_2", {}),
        ],
      },
      { role: "tool", content: [result("call_1", "sunny"), result("call_2", "no city")] },
    ]);
  });
});

describe("what is asked of the answer", () => {
  const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };

  test("in a chat completion", () => {
    const { options, ...said } = dialects["openai-chat"].decode(CHAT);
    expect(said).toEqual({ model: "openai/gpt-4o-mini", stream: true, includeUsage: true, maxOutputTokens: 300 });
    const { prompt: _, ...rest } = options;
    expect(rest).toEqual({
      maxOutputTokens: 300,
      temperature: 0.2,
      topP: 0.9,
      presencePenalty: 0.1,
      frequencyPenalty: -0.1,
      seed: 7,
      stopSequences: ["END"],
      reasoning: "low",
      responseFormat: { type: "json", name: "answer", schema },
      tools: [
        { type: "function", name: "weather", description: "Weather now", inputSchema: schema, strict: true },
        { type: "function", name: "time", inputSchema: { type: "object", properties: {} } },
      ],
      toolChoice: { type: "tool", toolName: "weather" },
      providerOptions: {
        openaiCompatible: { strictJsonSchema: true, textVerbosity: "low", parallel_tool_calls: false },
        anthropic: { disableParallelToolUse: true },
      },
    });
  });

  test("in messages", () => {
    const { options, ...said } = dialects["anthropic-messages"].decode(MESSAGES);
    expect(said).toEqual({ model: MESSAGES.model, stream: true, includeUsage: true, maxOutputTokens: 500 });
    expect(options).toMatchObject({
      temperature: 0.2,
      topP: 0.9,
      topK: 40,
      stopSequences: ["END"],
      reasoning: "low",
      responseFormat: { type: "json", schema },
      toolChoice: { type: "required" },
      providerOptions: {
        openaiCompatible: { strictJsonSchema: true, parallel_tool_calls: false },
        anthropic: { disableParallelToolUse: true, thinking: { type: "enabled", budgetTokens: 2048 } },
      },
    });
  });

  test("in responses", () => {
    const { options, ...said } = dialects["openai-responses"].decode(RESPONSES);
    expect(said).toEqual({ model: RESPONSES.model, stream: true, includeUsage: true, maxOutputTokens: 300 });
    expect(options).toMatchObject({
      reasoning: "low",
      responseFormat: { type: "json", name: "answer", schema },
      tools: [{ type: "function", name: "weather", strict: true }],
      toolChoice: { type: "required" },
    });
  });

  test("a choice among some tools hides the others", () => {
    const allowed = { mode: "required", tools: [{ type: "function", function: { name: "time" } }] };
    const tool_choice = { type: "allowed_tools", allowed_tools: allowed };
    const { options } = dialects["openai-chat"].decode({ ...CHAT, tool_choice });
    expect(options.tools?.map((tool) => tool.name)).toEqual(["time"]);
    expect(options.toolChoice).toEqual({ type: "required" });
  });

  test("a picture that a tool gave is shown by the user", () => {
    const source = { type: "url", url: "https://example.com/a.png" };
    const given = [text("Here:"), { type: "image", source }];
    const messages = [
      ...MESSAGES.messages.slice(0, 2),
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: given }] },
    ];
    const { prompt } = dialects["anthropic-messages"].decode({ ...MESSAGES, messages }).options;
    expect(prompt.slice(-2)).toMatchObject([
      { role: "tool", content: [result("toolu_1", "Here:")] },
      { role: "user", content: [text("From the tool call toolu_1:"), { type: "file", mediaType: "image" }] },
    ]);
  });
});

test("for a provider, raw fields stand under its id, and OpenAI is given no thoughts back", () => {
  const { options } = dialects["anthropic-messages"].decode(MESSAGES);
  const forOpenai = forModel(options, { provider: "openai", name: "gpt-4o-mini" });
  expect(forOpenai.providerOptions?.openai).toMatchObject({ parallel_tool_calls: false });
  expect(JSON.stringify(forOpenai.prompt)).not.toContain('"reasoning"');
  const forClaude = forModel(options, { provider: "anthropic", name: "claude-haiku-4-5" });
  expect(JSON.stringify(forClaude.prompt)).toContain('"signature":"sig"');
});

test("an answer that is sent back is understood as it was given", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const answer = randomAnswer(randomFrom(seed));
    const said = answer.content.filter((part) => part.type === "tool-call" || part.type === "text");
    const wanted = said.map((part) =>
      part.type === "tool-call" ? JSON.parse(part.input) : "text" in part ? part.text : "",
    );
    const chat = dialects["openai-chat"].encodeWhole(answer, FACTS) as { choices: { message: object }[] };
    const message = dialects["anthropic-messages"].encodeWhole(answer, FACTS);
    const response = dialects["openai-responses"].encodeWhole(answer, FACTS);
    const hello = { role: "user", content: "Hello" };
    const bodies: [DialectName, Record<string, unknown>][] = [
      ["openai-chat", { model: "m", messages: [hello, chat.choices[0]?.message] }],
      [
        "anthropic-messages",
        { model: "m", max_tokens: 9, messages: [hello, { role: "assistant", content: message.content }] },
      ],
      ["openai-responses", { model: "m", input: [hello, ...(response.output as object[])] }],
    ];
    for (const [name, body] of bodies) {
      const { prompt } = dialects[name].decode(body).options;
      const parts = prompt.flatMap(({ role, content }) => (role === "assistant" ? content : []));
      const got = parts.flatMap((part) =>
        part.type === "tool-call" ? [part.input] : part.type === "text" ? [part.text] : [],
      );
      expect(got, `${name} ${seed}`).toEqual(wanted);
    }
  }
});

describe("refused by name", () => {
  const message = (content: unknown) => [{ role: "user", content }];
  test.each<[DialectName, string, Record<string, unknown>]>([
    ["openai-chat", "n", { n: 2 }],
    ["openai-chat", "logprobs", { logprobs: true }],
    ["openai-chat", "top_logprobs", { top_logprobs: 3 }],
    ["openai-chat", "logit_bias", { logit_bias: { "50256": -100 } }],
    ["openai-chat", "audio", { audio: { voice: "alloy", format: "wav" } }],
    ["openai-chat", "modalities", { modalities: ["text", "audio"] }],
    ["openai-chat", "functions", { functions: [{ name: "f" }] }],
    ["openai-chat", "function_call", { function_call: "auto" }],
    ["openai-chat", "web_search_options", { web_search_options: {} }],
    ["openai-chat", "moderation", { moderation: { model: "m" } }],
    ["openai-chat", "messages", { messages: [] }],
    ["openai-chat", "messages", { messages: "Hello" }],
    ["openai-chat", "messages.0", { messages: ["Hello"] }],
    ["openai-chat", "messages.0.role", { messages: [{ role: "function", content: "x", name: "f" }] }],
    ["openai-chat", "messages.0.content.0.type", { messages: message([{ type: "input_audio", input_audio: {} }]) }],
    [
      "openai-chat",
      "messages.0.content.0.file.file_id",
      { messages: message([{ type: "file", file: { file_id: "f" } }]) },
    ],
    [
      "openai-chat",
      "messages.0.content.0.image_url.url",
      { messages: message([{ type: "image_url", image_url: { url: "file:///etc/passwd" } }]) },
    ],
    [
      "openai-chat",
      "messages.0.content.0.image_url.url",
      { messages: message([{ type: "image_url", image_url: { url: "data:image/svg+xml;base64,AAAA" } }]) },
    ],
    ["openai-chat", "messages.0.tool_call_id", { messages: [{ role: "tool", tool_call_id: "c", content: "x" }] }],
    ["openai-chat", "messages.0.audio", { messages: [{ role: "assistant", audio: { id: "a" } }] }],
    ["openai-chat", "messages.0.function_call", { messages: [{ role: "assistant", function_call: {} }] }],
    ["openai-chat", "tools.0.type", { tools: [{ type: "custom", custom: { name: "x" } }] }],
    ["openai-chat", "tools.0.type", { tools: [{ type: "web_search" }] }],
    ["openai-chat", "tools", { tools: [CHAT.tools[0], CHAT.tools[0]] }],
    [
      "openai-chat",
      "tools.0.function.parameters",
      { tools: [{ type: "function", function: { name: "x", parameters: 3 } }] },
    ],
    ["openai-chat", "tool_choice", { tool_choice: { type: "function", function: { name: "other" } } }],
    ["openai-chat", "tool_choice", { tool_choice: "required", tools: [] }],
    ["openai-chat", "response_format.type", { response_format: { type: "grammar" } }],
    ["openai-chat", "temperature", { temperature: 3 }],
    ["openai-chat", "max_completion_tokens", { max_completion_tokens: 0 }],
    ["openai-chat", "seed", { seed: "x" }],
    ["openai-chat", "stop.0", { stop: [1] }],
    ["openai-chat", "reasoning_effort", { reasoning_effort: "huge" }],
    ["openai-chat", "stream", { stream: "yes" }],
    ["openai-chat", "model", { model: 3 }],
    ["anthropic-messages", "max_tokens", { max_tokens: undefined }],
    ["anthropic-messages", "container", { container: "c" }],
    ["anthropic-messages", "mcp_servers", { mcp_servers: [{ type: "url", url: "https://x", name: "x" }] }],
    ["anthropic-messages", "inference_geo", { inference_geo: "us" }],
    ["anthropic-messages", "thread", { thread: { type: "create" } }],
    ["anthropic-messages", "tools.0.type", { tools: [{ type: "web_search_20250305", name: "web_search" }] }],
    ["anthropic-messages", "tools.0.type", { tools: [{ type: "bash_20250124", name: "bash" }] }],
    ["anthropic-messages", "tool_choice", { tool_choice: { type: "tool", name: "other" } }],
    ["anthropic-messages", "thinking.budget_tokens", { thinking: { type: "enabled" } }],
    ["anthropic-messages", "temperature", { temperature: 1.5 }],
    ["anthropic-messages", "system.0.type", { system: [{ type: "image" }] }],
    ["anthropic-messages", "messages.0.content.0.type", { messages: message([{ type: "search_result" }]) }],
    [
      "anthropic-messages",
      "messages.0.content.0.source.type",
      { messages: message([{ type: "image", source: { type: "file", file_id: "f" } }]) },
    ],
    [
      "anthropic-messages",
      "messages.0.content.0.citations",
      { messages: message([{ type: "document", citations: { enabled: true }, source: { type: "text", data: "x" } }]) },
    ],
    [
      "anthropic-messages",
      "messages.0.content.0.tool_use_id",
      { messages: message([{ type: "tool_result", tool_use_id: "t", content: "x" }]) },
    ],
    [
      "anthropic-messages",
      "messages.0.content.0.type",
      { messages: [{ role: "assistant", content: [{ type: "server_tool_use" }] }] },
    ],
    ["openai-responses", "background", { background: true }],
    ["openai-responses", "previous_response_id", { previous_response_id: "resp_1" }],
    ["openai-responses", "conversation", { conversation: "conv_1" }],
    ["openai-responses", "prompt", { prompt: { id: "p" } }],
    ["openai-responses", "moderation", { moderation: { model: "m" } }],
    ["openai-responses", "top_logprobs", { top_logprobs: 2 }],
    ["openai-responses", "include", { include: ["message.output_text.logprobs"] }],
    ["openai-responses", "input", { input: [] }],
    ["openai-responses", "input", { input: undefined }],
    ["openai-responses", "input.0.type", { input: [{ type: "item_reference", id: "x" }] }],
    ["openai-responses", "input.0.type", { input: [{ type: "computer_call" }] }],
    ["openai-responses", "input.0.content.0.file_id", { input: message([{ type: "input_file", file_id: "f" }]) }],
    ["openai-responses", "input.0.call_id", { input: [{ type: "function_call_output", call_id: "c", output: "x" }] }],
    ["openai-responses", "tools.0.type", { tools: [{ type: "web_search" }] }],
    ["openai-responses", "text.format.type", { text: { format: { type: "grammar" } } }],
    ["openai-responses", "tool_choice.type", { tool_choice: { type: "hosted" } }],
  ])("%s %s", (name, path, over) => {
    const { code, path: named, detail } = refusal(() => dialects[name].decode({ ...BODIES[name], ...over }));
    expect(code).toBe("invalid_input");
    expect(named).toBe(path);
    expect(detail.startsWith(`${path}: `)).toBe(true);
  });

  test("whatever stands in a field, nothing but invalid_input comes of it", () => {
    const odd = [null, 0, -1, 1e300, "", "x", true, [], [null], [[]], {}, { type: "x" }, [{ type: null }], Number.NaN];
    for (const name of NAMES) {
      for (const field of Object.keys(BODIES[name])) {
        for (const value of odd) {
          try {
            dialects[name].decode({ ...BODIES[name], [field]: value });
          } catch (error) {
            expect(error, `${name} ${field} ${JSON.stringify(value)}`).toMatchObject({ code: "invalid_input" });
          }
        }
      }
    }
  });
});
