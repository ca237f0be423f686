import OpenAI from "openai";
import { describe, expect, inject, test } from "vitest";

/** The stand-in for the Responses API, as the official client finds it: the rest of the suite trusts it. */

const client = (maxRetries = 0) =>
  new OpenAI({ apiKey: "sk-test", baseURL: `${inject("upstreamUrl")}/v1`, maxRetries, dangerouslyAllowBrowser: true });
const ask = (model: string, over = {}) => ({ model, input: "What is the weather in Rome today?", ...over });
const TOOLS: OpenAI.Responses.FunctionTool[] = [
  { type: "function", name: "weather", parameters: { type: "object" }, strict: false },
];

describe("an answer", () => {
  test("whole, with cached and reasoning tokens", async () => {
    const { output, output_text, usage } = await client().responses.create(ask("thinks"));
    expect(output.map(({ type }) => type)).toEqual(["reasoning", "message"]);
    expect(output_text).toBe("You said: What is the weather in Rome today?");
    expect(usage?.output_tokens_details.reasoning_tokens).toBe(3);
    const cached = await client().responses.create(ask("cached-tokens"));
    expect(cached.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(0);
  });

  test.each(["echo", "thinks"])("streamed by %s is what it is whole", async (model) => {
    const whole = await client().responses.create(ask(model));
    const streamed = await client().responses.stream(ask(model)).finalResponse();
    const said = streamed.output.map(({ id: _, ...item }) => item);
    expect(said).toMatchObject(whole.output.map(({ id: _, ...item }) => item));
    expect(streamed.usage).toEqual(whole.usage);
  });

  test("numbers its events, and its deltas make up the text", async () => {
    let text = "";
    let next = 0;
    for await (const event of await client().responses.create({ ...ask("echo"), stream: true })) {
      expect(event.sequence_number).toBe(next++);
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    expect(text).toBe("You said: What is the weather in Rome today?");
  });

  test("calls tools and takes their results", async () => {
    const asked = ask("echo", { tools: TOOLS });
    const { output } = await client().responses.stream(asked).finalResponse();
    const [call] = output;
    if (call?.type !== "function_call") throw new Error("called nothing");
    expect(JSON.parse(call.arguments)).toEqual({ question: asked.input });
    const result = { type: "function_call_output" as const, call_id: call.call_id, output: "sunny" };
    const input = [{ role: "user" as const, content: "Hello" }, call, result];
    const then = await client().responses.create({ model: "echo", input, tools: TOOLS });
    expect(then.output_text).toBe("Result: sunny You said: Hello");
  });

  test("fills a schema, and is cut where it may be no longer", async () => {
    const schema = { type: "object", properties: { city: { type: "string" } } };
    const text = { format: { type: "json_schema" as const, name: "answer", schema } };
    const filled = await client().responses.create(ask("echo", { text }));
    expect(JSON.parse(filled.output_text)).toEqual({ city: "What is the weather in Rome today?" });
    const cut = await client().responses.create(ask("echo", { max_output_tokens: 2 }));
    expect(cut).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
  });
});

describe("a failure", () => {
  test("has the client's own class", async () => {
    await expect(client().responses.create(ask("fail-429-retry-after"))).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    await expect(client().responses.create(ask("fail-500"))).rejects.toBeInstanceOf(OpenAI.InternalServerError);
    const long = client().responses.create(ask("fail-400-context"));
    await expect(long).rejects.toMatchObject({ status: 400, code: "context_length_exceeded" });
  });

  test.each(["cut-mid-stream", "malformed-chunk", "error-chunk"])("%s ends the stream with an error", async (model) => {
    const drain = async () => {
      for await (const _ of await client().responses.create({ ...ask(model), stream: true }));
    };
    await expect(drain()).rejects.toThrow();
  });
});
