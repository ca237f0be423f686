import { describe, expect, it } from "vitest";
import { account, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

/** A converted answer of a provider that reports no usage shows what is billed in its place. */

const MODEL = { model: "paid/no-usage", max_tokens: 50, max_output_tokens: 50 };
const WORDS = "high tide at noon";
const messages = { messages: [{ role: "user", content: WORDS }] };
const tools = [{ name: "weather", input_schema: { type: "object", properties: { question: { type: "string" } } } }];

/** The count that an answer, or the last event that has it, gives under this name. */
function counted(name: string, body: unknown): number {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return Number([...text.matchAll(new RegExp(`"${name}":(\\d+)`, "g"))].at(-1)?.[1]);
}

describe.each([
  ["messages", "/v1/messages", messages],
  ["messages that call a tool", "/v1/messages", { ...messages, tools }],
  ["responses", "/v1/responses", { input: WORDS }],
])("%s without a report", (_, path, ask) => {
  it.each([false, true])("show the estimate that the ledger has, streamed: %s", async (stream) => {
    const { key } = await account();
    const { status, body } = await rest(key, "POST", path, { ...MODEL, ...ask, stream });
    expect(status).toBe(200);
    const [input_tokens, output_tokens] = [counted("input_tokens", body), counted("output_tokens", body)];
    expect(Math.min(input_tokens, output_tokens)).toBeGreaterThan(2);
    const { recent } = (await rest(key, "GET", "/v1/usage?recent=5")).body;
    const line = recent.find(({ model }: { model: string }) => model === MODEL.model);
    expect(line).toMatchObject({ estimated: true, input_tokens, output_tokens });
  });
});
