import { SELF } from "cloudflare:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CfWorkerJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/cfworker";
import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import { describe, expect, it } from "vitest";
import { agentTools } from "../../src/tools/registry.ts";
import { account, agent, agentOf2025, MODERN, ORIGIN, rest } from "./client.ts";

/** What all tools may cost an agent to list, and what a result may, in tokens of o200k. */
const LIST_TOKENS = 3_000;
const RESULT_TOKENS = 6_000;
const tokens = (value: unknown): number => countTokens(typeof value === "string" ? value : JSON.stringify(value));

describe("the list of tools", () => {
  it(`costs an agent fewer than ${LIST_TOKENS} tokens`, async () => {
    const { key } = await account();
    for (const client of [await agent(key), await agentOf2025(key)]) {
      const { tools } = await client.listTools();
      const each = Object.fromEntries(tools.map((tool) => [tool.name, tokens(tool)]));
      const total = tokens({ tools });
      console.info(`tokens of tools/list: ${JSON.stringify(each)}, in all ${total}`);
      expect(total).toBeLessThan(LIST_TOKENS);
      await client.close();
    }
  });

  it("is the registry's, the same for both clients, each with both schemas and words about itself", async () => {
    const { key } = await account();
    const [modern, legacy] = [await agent(key), await agentOf2025(key)];
    const { tools } = await modern.listTools();
    expect(tools.map(({ name }) => name)).toEqual(agentTools.map(({ name }) => name));
    expect((await legacy.listTools()).tools).toEqual(tools);
    for (const tool of tools) {
      expect(tool.description?.length).toBeGreaterThan(80);
      expect(tool.inputSchema.type).toBe("object");
      expect(tool.outputSchema).toMatchObject({ type: "object" });
      expect(tool.title).not.toBe("");
      expect(typeof tool.annotations?.readOnlyHint).toBe("boolean");
    }
    expect(modern.getNegotiatedProtocolVersion()).toBe(MODERN);
    expect(modern.getInstructions()).toContain("search");
    expect(legacy.getInstructions()).toBe(modern.getInstructions());
  });
});

describe("results", () => {
  it("are checked against the advertised schema by both clients: a wrong one is noticed", async () => {
    const { key } = await account();
    const spoil = async (url: string | URL, init?: RequestInit) => {
      const response = await SELF.fetch(new Request(url, init));
      const text = (await response.text()).replace('"next_page":null', '"next_page":5');
      return new Response(text || null, { status: response.status, headers: response.headers });
    };
    const options = { fetch: spoil, requestInit: { headers: { Authorization: `Bearer ${key}` } } };
    const url = new URL(`${ORIGIN}/mcp`);
    const modern = new Client({ name: "m", version: "1" }, { versionNegotiation: { mode: { pin: MODERN } } });
    await modern.connect(new StreamableHTTPClientTransport(url, options));
    const legacy = new LegacyClient(
      { name: "l", version: "1" },
      { jsonSchemaValidator: new CfWorkerJsonSchemaValidator() },
    );
    await legacy.connect(new LegacyTransport(url, options) as Parameters<LegacyClient["connect"]>[0]);
    for (const client of [modern, legacy]) {
      await client.listTools();
      await expect(client.callTool({ name: "list_sessions", arguments: {} })).rejects.toThrow(/output schema/);
      await client.close();
    }
  });

  it(`take an agent at most ${RESULT_TOKENS} tokens, however much there is, and say how to go on`, async () => {
    const { key } = await account();
    const words = "The harbour floods at spring tide, and nobody knows why it does. ";
    const documents = Array.from({ length: 60 }, (_, i) => ({
      id: `long/${i}`,
      title: `Tides, part ${i}`,
      text: Array.from({ length: i === 0 ? 2_000 : 20 }, (_, n) => `${n}. ${words}`).join("\n"),
      metadata: { part: i, note: "n".repeat(200) },
    }));
    expect((await rest(key, "POST", "/v1/documents", { documents })).status).toBe(200);
    const push = Array.from({ length: 150 }, (_, i) => [
      { id: `c${i}`, kind: "session.create", session_id: `s-${i}`, title: `A long title about the tides, number ${i}` },
      {
        id: `a${i}`,
        kind: "message.append",
        session_id: `s-${i}`,
        messages: [{ id: `m-${i}`, role: "user", content: words.repeat(10), created_at: "2026-01-31T12:00:00Z" }],
      },
    ]).flat();
    expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
    for (let i = 0; i < 60; i++) await rest(key, "GET", "/v1/usage?recent=0");

    const client = await agent(key);
    const calls: [string, Record<string, unknown>, RegExp?][] = [
      ["search", { query: "harbour flood tide" }],
      ["search", { query: "harbour flood tide", limit: 50 }],
      ["fetch", { id: "long/0" }, /Next, to read on: fetch {"id":"long\/0","offset":\d+}/],
      ["sync_session", {}, /Next, for the rest: sync_session {"cursor":{/],
      ["list_sessions", {}, /Next, for the next page: list_sessions {"limit":20,"page":/],
      ["list_sessions", { limit: 100 }, /list_sessions {"limit":100,"page":/],
      ["usage", {}],
      ["usage", { recent: 50 }],
      ["chat", { message: "Why does the harbour flood at spring tide?" }],
      ["add_documents", { documents: documents.slice(1, 60) }],
    ];
    const sizes: string[] = [];
    const over: string[] = [];
    for (const [name, args, goesOn] of calls) {
      const { content, structuredContent, isError } = await client.callTool({ name, arguments: args });
      expect(isError ?? false).toBe(false);
      const text = (content as { text: string }[]).map((part) => part.text).join("");
      const [asText, asData] = [tokens(text), tokens(structuredContent)];
      sizes.push(`${name} ${JSON.stringify(args).slice(0, 40)}: text ${asText}, data ${asData}`);
      if (Math.max(asText, asData) > RESULT_TOKENS) over.push(sizes.at(-1) as string);
      if (goesOn) expect(text).toMatch(goesOn);
    }
    console.info(`tokens of results:\n${sizes.join("\n")}`);
    expect(over).toEqual([]);
    await client.close();
  });
});
