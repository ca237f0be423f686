import { beforeAll, describe, expect, it } from "vitest";

import { configureModels } from "./provider.ts";
import { type Caller, furnished, MCP_HEADERS, refused, send, sendMcp, toolCall } from "./refusal.ts";

configureModels();

let who: Caller;
beforeAll(async () => {
  who = await furnished();
});

describe("names that are not there", () => {
  it.each([
    ["GET", "/v1", "unknown_route"],
    ["POST", "/v1/nothing", "unknown_route"],
    ["GET", "/mcp/x", "unknown_route"],
    ["GET", "/%00", "unknown_route"],
    ["GET", "/v1/admin", "unknown_route"],
    ["GET", "/errors/nothing", "unknown_route"],
    ["GET", "/errors/__proto__", "unknown_route"],
    ["GET", "/v1/search", "method_not_allowed"],
    ["PUT", "/v1/documents", "method_not_allowed"],
    ["PATCH", "/v1/chat", "method_not_allowed"],
    ["POST", "/v1/usage", "method_not_allowed"],
    ["DELETE", "/v1/sessions", "method_not_allowed"],
    ["GET", "/mcp", "method_not_allowed"],
    ["PUT", "/mcp", "method_not_allowed"],
    ["DELETE", "/mcp", "method_not_allowed"],
  ] as const)("%s %s is %s", async (method, path, code) => {
    const call = () => send(path, { key: who.key, method, headers: MCP_HEADERS });
    await refused(who, call, code);
    if (code === "method_not_allowed") expect((await call()).headers.get("allow")).toMatch(/[A-Z]/);
  });

  it("a page that is not there is a page for a browser, and JSON for all others", async () => {
    const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    const page = await send("/nothing", { method: "GET", headers: { Accept: browser } });
    expect([page.status, page.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
    expect(page.headers.get("x-request-id")).toMatch(/^req_/);
    expect(page.body).toMatch(/<a class="button" href="\/">/);
    for (const [method, path, Accept] of [
      ["POST", "/nothing", browser],
      ["GET", "/v1/nothing", browser],
      ["GET", "/nothing", "*/*"],
    ] as const) {
      expect(await send(path, { key: who.key, method, headers: { Accept } })).toMatchObject({
        status: 404,
        body: { code: "unknown_route" },
      });
    }
  });

  it("a slash at the end of a path changes nothing", async () => {
    const query = { key: who.key, body: '{"query":"private"}' };
    expect(await send("/v1/search/", query)).toMatchObject({ status: 200 });
    expect(await send("/v1/usage/?recent=1", { key: who.key, method: "GET" })).toMatchObject({ status: 200 });
    expect(await send("/v1/search//", query)).toMatchObject({ status: 404 });
    const body = JSON.stringify(toolCall("usage", {}));
    expect(await send("/mcp/", { key: who.key, body, headers: MCP_HEADERS })).toMatchObject({ status: 200 });
    expect(await send("/mcp/x", { key: who.key, body, headers: MCP_HEADERS })).toMatchObject({ status: 404 });
  });

  it.each([
    ["month=2026-13", /month/],
    ["recent=many", /recent/],
    ["recent=1&recent=2", /recent/],
    ["recnt=1", /Did you mean `recent`/],
    ["__proto__=1", /__proto__/],
    ["constructor=1", /constructor/],
  ])("GET /v1/usage?%s is invalid_input", async (query, word) => {
    const problem = await refused(
      who,
      () => send(`/v1/usage?${query}`, { key: who.key, method: "GET" }),
      "invalid_input",
    );
    expect(JSON.stringify(problem)).toMatch(word);
  });

  it.each(["nothing", "constructor", "__proto__", "create_key", "add_credit", "", "x".repeat(10_000)])(
    "the tool %.20s is unknown, with the names there are",
    async (name) => {
      for (const modern of [false, true]) {
        const problem = await refused(who, () => sendMcp(who.key, toolCall(name, {}, modern)), "unknown_tool");
        expect(problem.detail).toContain("search");
        expect(problem.detail.length).toBeLessThan(500);
      }
    },
  );

  it.each(["resources/delete", "tools/delete", "__proto__", ""])("the MCP method %s is unknown", async (method) => {
    await refused(who, () => sendMcp(who.key, { jsonrpc: "2.0", id: 1, method, params: {} }), "unknown_method");
  });
});

describe("MCP messages that are none", () => {
  it.each([
    ["without a version", { id: 1, method: "tools/list" }],
    ["of another version", { jsonrpc: "1.0", id: 1, method: "tools/list" }],
    ["without a method", { jsonrpc: "2.0", id: 1 }],
    ["with a method that is no text", { jsonrpc: "2.0", id: 1, method: 5 }],
    ["with an id that is an object", { jsonrpc: "2.0", id: {}, method: "tools/list" }],
    ["with params in an array", { jsonrpc: "2.0", id: 1, method: "tools/list", params: [] }],
    ["a call without params", { jsonrpc: "2.0", id: 1, method: "tools/call" }],
    ["a call without a name", { jsonrpc: "2.0", id: 1, method: "tools/call", params: { arguments: {} } }],
    ["a call of a number", toolCall(5, {})],
    ["a call with a list of arguments", toolCall("usage", [])],
    ["a call with text as arguments", toolCall("usage", "{}")],
    ["a call with null as arguments", toolCall("usage", null)],
    [
      "a call with a number as _meta",
      { jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "usage", _meta: 5 } },
    ],
  ])("%s", async (_, message) => {
    await refused(who, () => sendMcp(who.key, message), "invalid_input");
  });

  it.each([
    ["an Accept header it cannot serve", { Accept: "text/plain" }],
    ["a protocol version nobody speaks", { "Mcp-Protocol-Version": "1999-01-01" }],
  ])("%s is invalid_header", async (_, headers) => {
    await refused(who, () => sendMcp(who.key, toolCall("usage", {}), headers), "invalid_header");
  });

  it.each([5, {}, [], true, null, "", "ü"])("an idempotency key of %j is invalid_header", async (value) => {
    const message = toolCall("usage", {});
    Object.assign(message.params, { _meta: { "waypost/idempotency-key": value } });
    await refused(who, () => sendMcp(who.key, message), "invalid_header");
  });

  it("a call without arguments is a call with none", async () => {
    for (const modern of [false, true]) {
      const { body } = await sendMcp(who.key, toolCall("usage", undefined, modern));
      expect(JSON.stringify(body)).toContain("structuredContent");
    }
    await refused(who, () => sendMcp(who.key, toolCall("search")), "invalid_input");
  });
});

it("what was refused before it was admitted counts against nothing", async () => {
  const fresh = await furnished();
  const calls = async () => {
    const { body } = await send("/v1/usage", { key: fresh.key, method: "GET" });
    return { total: body.total.calls, left: body.limits[0].remaining };
  };
  const before = await calls();
  for (const body of ["{", "[]", '{"limit":1}', '{"query":1}']) await send("/v1/search", { key: fresh.key, body });
  for (const message of [toolCall("nothing"), toolCall("search"), toolCall("search", [])]) {
    await sendMcp(fresh.key, message);
  }
  expect(await calls()).toEqual({ total: before.total + 1, left: before.left - 1 });
});
