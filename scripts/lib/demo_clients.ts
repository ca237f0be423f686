import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Transport as LegacyConnection } from "@modelcontextprotocol/sdk/shared/transport.js";

/** What one call said it cost. */
export interface Receipt {
  through: string;
  tool: string;
  /** nano-USD. */
  costNano: number;
  /** The first result of an idempotency key, given again. */
  replayed: boolean;
}

/** One way into the server. Every call leaves a receipt. */
export interface DemoClient {
  /** The door and the protocol, for people. */
  through: string;
  /** Calls a tool; throws when the server refuses. `key` is an idempotency key. */
  call<T>(tool: string, input: object, key?: string): Promise<T>;
  close(): Promise<void>;
}

const COST = "waypost/cost-nano-usd";
const KEY = "waypost/idempotency-key";
const REPLAYED = "waypost/idempotency-replayed";

const ROUTES: Record<string, [method: "GET" | "POST", path: string]> = {
  add_documents: ["POST", "/v1/documents"],
  search: ["POST", "/v1/search"],
  chat: ["POST", "/v1/chat"],
  usage: ["GET", "/v1/usage"],
};

/** A program that uses REST. With `"stream": true` in its input a chat is read as server-sent events. */
export function restClient(url: string, apiKey: string, receipts: Receipt[]): DemoClient {
  const through = "REST";
  return {
    through,
    async call<T>(tool: string, input: object, key?: string): Promise<T> {
      const [method, path] = ROUTES[tool] ?? fail(`the demo knows no route of ${tool}`);
      const response = await fetch(url + path, {
        method,
        headers: {
          authorization: `Bearer ${apiKey}`,
          ...(method === "POST" ? { "content-type": "application/json" } : {}),
          ...(key ? { "idempotency-key": key } : {}),
        },
        ...(method === "POST" ? { body: JSON.stringify(input) } : {}),
      });
      const text = await response.text();
      if (!response.ok) fail(`${tool} over ${through}: ${response.status} ${text}`);
      const streamed = response.headers.get("content-type")?.startsWith("text/event-stream");
      const output = streamed ? lastEvent(text) : JSON.parse(text);
      // A stream's headers left before its cost was known, so its last event says it.
      const costNano = streamed
        ? (output as { cost: { nano_usd: number } }).cost.nano_usd
        : Number(response.headers.get("x-waypost-cost-nano-usd") ?? 0);
      receipts.push({ through, tool, costNano, replayed: response.headers.has("idempotency-replayed") });
      return output as T;
    },
    close: async () => {},
  };
}

/** An agent with the official client of today, speaking the newest protocol. */
export async function mcpClient(url: string, apiKey: string, receipts: Receipt[]): Promise<DemoClient> {
  const client = new Client({ name: "waypost-demo", version: "1.0.0" }, { versionNegotiation: { mode: "auto" } });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), authorized(apiKey)));
  await client.listTools();
  return through(`MCP ${client.getNegotiatedProtocolVersion()}`, client, receipts);
}

/** An agent with the client that most programs still embed, speaking the protocol of 2025. */
export async function mcpClientOf2025(url: string, apiKey: string, receipts: Receipt[]): Promise<DemoClient> {
  const client = new LegacyClient({ name: "waypost-demo-of-2025", version: "1.0.0" });
  const transport = new LegacyTransport(new URL(`${url}/mcp`), authorized(apiKey));
  await client.connect(transport as LegacyConnection);
  await client.listTools();
  return through(`MCP ${transport.protocolVersion}`, client as unknown as ToolCaller, receipts);
}

interface ToolCaller {
  callTool(params: { name: string; arguments: Record<string, unknown>; _meta?: Record<string, unknown> }): Promise<{
    isError?: boolean;
    content?: unknown;
    structuredContent?: unknown;
    _meta?: Record<string, unknown>;
  }>;
  close(): Promise<void>;
}

function through(name: string, client: ToolCaller, receipts: Receipt[]): DemoClient {
  return {
    through: name,
    async call<T>(tool: string, input: object, key?: string): Promise<T> {
      const _meta = key ? { [KEY]: key } : undefined;
      const result = await client.callTool({ name: tool, arguments: { ...input }, ...(_meta ? { _meta } : {}) });
      if (result.isError) fail(`${tool} over ${name}: ${JSON.stringify(result.content)}`);
      const costNano = result._meta?.[COST];
      if (typeof costNano !== "number") return fail(`${tool} over ${name} does not say what it cost`);
      receipts.push({ through: name, tool, costNano, replayed: result._meta?.[REPLAYED] === true });
      return result.structuredContent as T;
    },
    close: () => client.close(),
  };
}

const authorized = (apiKey: string) => ({ requestInit: { headers: { Authorization: `Bearer ${apiKey}` } } });

/** The result a stream of server-sent events ends with. */
function lastEvent(text: string): unknown {
  const event = /event: (\w+)\ndata: (.*)\n\n$/.exec(text);
  if (event?.[1] !== "done") fail(`a stream did not end with its result: ${text.slice(-500)}`);
  return JSON.parse(event?.[2] ?? "");
}

function fail(message: string): never {
  throw new Error(message);
}
