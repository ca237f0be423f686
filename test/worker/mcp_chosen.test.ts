import { SELF } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { account, MODERN, ORIGIN } from "./client.ts";

/** `/mcp?tools=…`: an agent is shown, and may call, the tools its URL asks for and no others. */

async function rpc(key: string | null, query: string, method: string, params: object = {}) {
  const _meta = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientInfo": { name: "t", version: "1" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const named = (params as { name?: string }).name;
  const response = await SELF.fetch(`${ORIGIN}/mcp${query}`, {
    method: "POST",
    headers: {
      ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": MODERN,
      "Mcp-Method": method,
      ...(named ? { "Mcp-Name": named } : {}),
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta } }),
  });
  const text = await response.text();
  return { status: response.status, body: JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? text) };
}

describe("the tools of a URL", () => {
  test("are listed and callable, others are neither", async () => {
    const { key } = await account();
    const listed = await rpc(key, "?tools=usage,search", "tools/list");
    expect(listed.body.result.tools.map(({ name }: { name: string }) => name)).toEqual(["search", "usage"]);
    const called = await rpc(key, "?tools=usage,search", "tools/call", { name: "usage", arguments: {} });
    expect(called.body.result.isError).toBeUndefined();
    const refused = await rpc(key, "?tools=usage,search", "tools/call", { name: "chat", arguments: { message: "x" } });
    expect(refused.body.error.data).toMatchObject({ code: "unknown_tool" });
    expect(refused.body.error.message).toContain("There are: search, usage.");
  });

  test("without the parameter are all of them", async () => {
    const { key } = await account();
    expect((await rpc(key, "", "tools/list")).body.result.tools.length).toBeGreaterThan(8);
  });

  test("that do not exist are named, to those who are known", async () => {
    const { key } = await account();
    const known = await rpc(key, "?tools=search,serach", "tools/list");
    expect([known.status, known.body.error.data.code]).toEqual([400, "invalid_input"]);
    expect(known.body.error.message).toContain('"serach"');
    expect((await rpc(null, "?tools=serach", "tools/list")).status).toBe(401);
  });
});
