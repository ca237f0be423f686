import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { expect, test } from "vitest";
import { randomFrom } from "../../../test/random.ts";
import { dialects } from "./dialects.ts";
import { words } from "./fixtures/answers.ts";
import { CHAT, MESSAGES, RESPONSES } from "./fixtures/requests.ts";

const PICTURE = 48_169;
const ask = (content: unknown) => ({ model: "m", messages: [{ role: "user", content }] });
const chat = (body: Record<string, unknown>, model?: string) => dialects["openai-chat"].boundTokens(body, model);

test("words, tools and schemas are never below what a tokenizer counts of their JSON", () => {
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed);
    const tools = [{ type: "function", function: { name: "x", description: words(random), parameters: {} } }];
    const body = { ...ask(words(random)), tools, response_format: { type: "json_schema", json_schema: words(random) } };
    expect(chat(body)).toBeGreaterThan(countTokens(JSON.stringify(body)));
  }
});

test("a picture is not counted by its bytes but by the dearest that a model makes of it", () => {
  const url = `data:image/png;base64,${"A".repeat(400_000)}`;
  const bound = chat(ask([{ type: "image_url", image_url: { url } }]));
  expect(bound).toBeGreaterThanOrEqual(PICTURE);
  expect(bound).toBeLessThan(PICTURE + 200);
  expect(chat(ask([{ type: "image_url", image_url: { url, detail: "low" } }]))).toBeLessThan(3_100);
  const source = { type: "base64", media_type: "image/png", data: "A".repeat(400_000) };
  const image = ask([{ type: "image", source }]);
  expect(dialects["anthropic-messages"].boundTokens(image)).toBeGreaterThanOrEqual(PICTURE);
  const claude = dialects["anthropic-messages"].boundTokens(image, "claude-haiku-4-5");
  expect(claude).toBeGreaterThanOrEqual(4_784);
  expect(claude).toBeLessThan(5_000);
});

test("a picture in a tool's result counts too", () => {
  const source = { type: "url", url: "https://example.com/a.png" };
  const result = { type: "tool_result", tool_use_id: "t", content: [{ type: "image", source }] };
  expect(dialects["anthropic-messages"].boundTokens(ask([result]))).toBeGreaterThanOrEqual(PICTURE);
});

test("words in a tool's input count, whatever they pretend to be", () => {
  const input = { type: "image", text: "word ".repeat(20_000) };
  const body = ask([{ type: "tool_use", id: "t", name: "x", input }]);
  expect(dialects["anthropic-messages"].boundTokens(body)).toBeGreaterThan(100_000);
});

test("a PDF counts by its pages; one that hides them, and one behind an address, by the most there can be", () => {
  const file = (data: string) => ask([{ type: "file", file: { filename: "a.pdf", file_data: btoa(data) } }]);
  const page = 3_000 + 4_784;
  const [two, hidden] = [
    "%PDF-1.7 << /Type /Page >> << /Type/Page /X 1 >> << /Type /Pages >>",
    "%PDF-1.7 /Type /ObjStm",
  ];
  expect(chat(file(two), "claude")).toBeGreaterThanOrEqual(2 * page);
  expect(chat(file(two), "claude")).toBeLessThan(2 * page + 200);
  expect(chat(file(hidden), "claude")).toBeGreaterThanOrEqual(600 * page);
  const disguised = { filename: "a.txt", file_data: `data:application/pdf;base64,${btoa(hidden)}` };
  expect(chat(ask([{ type: "file", file: disguised }]), "claude")).toBeGreaterThanOrEqual(600 * page);
  const source = { type: "url", url: "https://example.com/a.pdf" };
  const behind = dialects["anthropic-messages"].boundTokens(ask([{ type: "document", source }]), "claude");
  expect(behind).toBeGreaterThanOrEqual(600 * page);
});

test("a bound is a number for whatever is sent", () => {
  for (const name of ["openai-chat", "anthropic-messages", "openai-responses"] as const) {
    for (const body of [CHAT, MESSAGES, RESPONSES, {}, { messages: 3, input: null, tools: "x", system: [null] }]) {
      expect(dialects[name].boundTokens(body)).toBeGreaterThan(0);
    }
    for (const type of ["image", "image_url", "input_image", "file", "input_file", "document", "tool_use"]) {
      const body = { messages: [{ content: [{ type }] }], input: [{ type }] };
      expect(Number.isSafeInteger(dialects[name].boundTokens(body))).toBe(true);
    }
  }
});
