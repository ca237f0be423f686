import { beforeAll, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/errors.ts";
import { MAX_BODY_BYTES } from "../../src/gate/body.ts";
import { configureModels, priceOf } from "./provider.ts";
import { type Caller, furnished, MCP_HEADERS, refused, send, sendMcp, stateOf, toolCall } from "./refusal.ts";

configureModels();

let who: Caller;
beforeAll(async () => {
  who = await furnished("enterprise", { limits: { minute: 300 } });
});

const bytes = (...values: number[]) => new Uint8Array(values);
const deep = `${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}`;
const PATHS = ["/v1/search", "/v1/chat", "/v1/documents", "/v1/sync", "/mcp"];

/** A body of which nobody is told the length. */
function chunked(total: number): ReadableStream<Uint8Array> {
  const part = new Uint8Array(1024 * 1024).fill(0x20);
  let sent = 0;
  return new ReadableStream({
    pull(controller) {
      if (sent >= total) return controller.close();
      sent += part.byteLength;
      controller.enqueue(part);
    },
  });
}

describe.each(PATHS)("a body for %s", (path) => {
  const cases: [string, () => BodyInit | null, ErrorCode, Record<string, string>?][] = [
    ["empty", () => "", "invalid_json"],
    ["blank", () => " \n ", "invalid_json"],
    ["no JSON", () => "query=tides", "invalid_json"],
    ["cut off", () => '{"query": "ti', "invalid_json"],
    ["two values", () => '{"query":"a"} {"query":"b"}', "invalid_json"],
    ["50,000 levels of objects", () => deep, "invalid_json"],
    ["50,000 levels of arrays", () => "[".repeat(50_000) + "]".repeat(50_000), "invalid_json"],
    ["an array", () => '[{"query":"a"},{"query":"b"}]', "invalid_input"],
    ["an empty array", () => "[]", "invalid_input"],
    ["null", () => "null", "invalid_input"],
    ["a number", () => "5", "invalid_input"],
    ["a text", () => '"tides"', "invalid_input"],
    ["not UTF-8", () => bytes(0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d), "invalid_json"],
    ["UTF-16", () => bytes(0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00), "invalid_json"],
    ["a PNG", () => bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a), "invalid_json"],
    ["a form", () => "query=tides", "unsupported_media_type", { "Content-Type": "application/x-www-form-urlencoded" }],
    ["text", () => '{"query":"a"}', "unsupported_media_type", { "Content-Type": "text/plain" }],
    ["of a type that only begins alike", () => "{}", "unsupported_media_type", { "Content-Type": "application/jsonp" }],
    ["announced as too large", () => " ".repeat(MAX_BODY_BYTES + 1), "payload_too_large"],
    ["too large, of unknown length", () => chunked(MAX_BODY_BYTES + 1), "payload_too_large"],
  ];
  it.each(cases)("that is %s is refused", async (_, body, code, headers = {}) => {
    await refused(who, () => send(path, { key: who.key, body: body(), headers: { ...MCP_HEADERS, ...headers } }), code);
  });
});

/** Input, the tool it is for, what is wrong with it, and a word the answer must hold. */
const inputs: [string, string, unknown, ErrorCode, RegExp?][] = [
  ["an unknown field", "search", { query: "x", colour: "red" }, "invalid_input", /colour/],
  ["a misspelt field", "search", { query: "x", limt: 3 }, "invalid_input", /Did you mean `limit`/],
  [
    "a field under two names",
    "chat",
    { message: "x", max_tokens: 4, maxTokens: 3 },
    "invalid_input",
    /mean `max_tokens`/,
  ],
  [
    "an unknown field inside",
    "add_documents",
    { documents: [{ text: "a", body: "b" }] },
    "invalid_input",
    /documents.0.body/,
  ],
  ["a missing field", "search", {}, "invalid_input", /query/],
  ["a number for a text", "search", { query: 5 }, "invalid_input", /query/],
  ["a text for a number", "search", { query: "x", limit: "many" }, "invalid_input", /limit/],
  ["a boolean for a number", "search", { query: "x", limit: true }, "invalid_input", /limit/],
  ["null for what is required", "fetch", { id: null }, "invalid_input", /id/],
  ["an array for a number", "fetch", { id: "own-document", offset: [3] }, "invalid_input", /offset/],
  ["a text for an array of objects", "add_documents", { documents: "a" }, "invalid_input", /documents/],
  ["a fraction", "search", { query: "x", limit: 1.5 }, "invalid_input", /limit/],
  ["a number past all bounds", "search", { query: "x", limit: 1e308 }, "invalid_input", /limit/],
  ["a negative number", "fetch", { id: "own-document", offset: -1 }, "invalid_input", /offset/],
  ["an empty text", "fetch", { id: "" }, "invalid_input", /id/],
  ["an empty message", "chat", { message: "" }, "invalid_input", /message/],
  ["two ways to say it", "chat", { message: "a", messages: [{ role: "user", content: "b" }] }, "invalid_input"],
  ["an unknown role", "chat", { messages: [{ role: "robot", content: "b" }] }, "invalid_input", /role/],
  ["a huge message", "chat", { message: "x".repeat(1_048_577) }, "invalid_input", /1 MiB/],
  ["a huge query", "search", { query: "x".repeat(131_073) }, "invalid_input", /query/],
  ["a huge id", "fetch", { id: "x".repeat(601) }, "invalid_input", /id/],
  ["an empty document", "add_documents", { documents: [{ id: "n", text: "" }] }, "invalid_input", /text/],
  [
    "a huge document",
    "add_documents",
    { documents: [{ id: "n", text: "é".repeat(2_200_000) }] },
    "payload_too_large",
    /4 MiB/,
  ],
  [
    "binary as text",
    "add_documents",
    { documents: [{ id: "n", text: "\u0000\u0001\u0002PNG\u0000" }] },
    "invalid_input",
    /text/,
  ],
  [
    "one bad document of three",
    "add_documents",
    { documents: [{ text: "a" }, { text: "b" }, { text: "" }] },
    "invalid_input",
    /documents.2/,
  ],
  ["an id that names a passage", "add_documents", { documents: [{ id: "a~1", text: "a" }] }, "invalid_input", /id/],
  ["half a character in an id", "add_documents", { documents: [{ id: "a\ud800", text: "a" }] }, "invalid_input", /id/],
  ["a url that is none", "add_documents", { documents: [{ text: "a", url: "not a url" }] }, "invalid_input", /url/],
  ["an unknown document", "delete_document", { id: "no-such" }, "not_found"],
  ["a passage to delete", "delete_document", { id: "own-document~0" }, "not_found"],
  [
    "a push without a device",
    "sync_session",
    { push: [{ id: "a", kind: "session.create", session_id: "s" }] },
    "invalid_input",
    /device_id/,
  ],
  [
    "an unknown kind",
    "sync_session",
    { device_id: "d", push: [{ id: "a", kind: "drop", session_id: "s" }] },
    "invalid_input",
    /kind/,
  ],
  ["a cursor from elsewhere", "sync_session", { cursor: { epoch: "x", seq: 9 } }, "resync_required"],
  ["a session id with a path in it", "chat", { message: "a", session_id: "../x" }, "invalid_input", /session_id/],
  ["an unknown model", "chat", { message: "a", model: "nobody/none" }, "model_unknown"],
  ["a model named like a member", "chat", { message: "a", model: "constructor" }, "model_unknown"],
  ["an unpriced model named like a member", "chat", { message: "a", model: "paid/__proto__" }, "model_unpriced"],
  ["__proto__ as a field", "search", JSON.parse('{"query":"x","__proto__":{"limit":1}}'), "invalid_input", /__proto__/],
  ["constructor as a field", "search", { query: "x", constructor: { prototype: {} } }, "invalid_input", /constructor/],
  ["toString as a field", "chat", { message: "x", toString: "y" }, "invalid_input", /toString/],
  [
    "__proto__ inside",
    "add_documents",
    JSON.parse('{"documents":[{"text":"a","__proto__":{"id":"b"}}]}'),
    "invalid_input",
    /__proto__/,
  ],
];

const PATH: Record<string, string> = {
  search: "/v1/search",
  chat: "/v1/chat",
  fetch: "/v1/fetch",
  add_documents: "/v1/documents",
  delete_document: "/v1/documents/delete",
  sync_session: "/v1/sync",
};

describe.each(inputs)("%s", (_, tool, input, code, word = /./) => {
  it("is refused over REST", async () => {
    const call = () => send(PATH[tool] as string, { key: who.key, body: JSON.stringify(input) });
    expect(JSON.stringify(await refused(who, call, code))).toMatch(word);
  });

  it.each([false, true])("is refused over MCP (today's client: %s)", async (modern) => {
    const call = () => sendMcp(who.key, toolCall(tool, input, modern));
    expect(JSON.stringify(await refused(who, call, code))).toMatch(word);
  });
});

it("the state that refusals are held against moves when something is done", async () => {
  const before = await stateOf(who.account);
  const body = JSON.stringify({ documents: [{ text: "one more" }] });
  expect((await send("/v1/documents", { key: who.key, body })).status).toBe(200);
  expect((await sendMcp(who.key, toolCall("chat", { message: "hi", model: "paid/tokens-7-3" }, true))).status).toBe(
    200,
  );
  const after = await stateOf(who.account);
  expect(after).toEqual({
    ...before,
    cursor: { ...before.cursor, seq: before.cursor.seq + 1 },
    documents: before.documents + 1,
    originals: before.originals + 1,
    cost: before.cost + priceOf({ input: 7, output: 3 }),
  });
});
