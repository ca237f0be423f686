import { SELF } from "cloudflare:test";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Client as LegacyClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as LegacyTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { CfWorkerJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/cfworker";
import type { Problem } from "../../src/errors.ts";
import { MODERN, ORIGIN } from "./client.ts";
import { MCP_HEADERS, send } from "./refusal.ts";

/** Clients whose user can be asked, and what is sent by hand. */

export interface Put {
  message: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever form it is sent
  requestedSchema: any;
}
export type Decide = (question: Put) => { action: "accept" | "decline" | "cancel"; content?: Record<string, string> };

export interface Ended {
  isError?: boolean;
  content: { text?: string }[];
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the tool says
  structuredContent?: any;
  _meta?: Record<string, unknown>;
}

export const codeOf = ({ isError, _meta }: Ended): string =>
  isError ? ((_meta?.["waypost/problem"] as Problem | undefined)?.code ?? "none") : "ok";

export interface Asking {
  /** What the user was asked. */
  put: Put[];
  call(name: string, input: Record<string, unknown>): Promise<Ended>;
  close(): Promise<void>;
}

const options = (key: string) => ({
  fetch: (url: string | URL, init?: RequestInit) => SELF.fetch(new Request(url, init)),
  requestInit: { headers: { Authorization: `Bearer ${key}` } },
});

/** The SDK's client of 2026: it puts the questions and repeats the call by itself. */
export async function asking2026(key: string, decide: Decide): Promise<Asking> {
  const put: Put[] = [];
  const client = new Client(
    { name: "asks", version: "1" },
    { versionNegotiation: { mode: { pin: MODERN } }, capabilities: { elicitation: { form: {} } } },
  );
  client.setRequestHandler("elicitation/create", async ({ params }) => {
    put.push(params as Put);
    return decide(params as Put);
  });
  await client.connect(new StreamableHTTPClientTransport(new URL(`${ORIGIN}/mcp`), options(key)));
  return {
    put,
    call: async (name, input) => (await client.callTool({ name, arguments: input })) as Ended,
    close: () => client.close(),
  };
}

/** The client that most programs embed, in a session of 2025: the server sends it the question. */
export async function asking2025(key: string, decide: Decide): Promise<Asking> {
  const put: Put[] = [];
  const client = new LegacyClient(
    { name: "asks", version: "1" },
    { capabilities: { elicitation: {} }, jsonSchemaValidator: new CfWorkerJsonSchemaValidator() },
  );
  client.setRequestHandler(ElicitRequestSchema, async ({ params }) => {
    put.push(params as Put);
    return decide(params as Put);
  });
  const transport = new LegacyTransport(new URL(`${ORIGIN}/mcp`), options(key));
  await client.connect(transport as Parameters<LegacyClient["connect"]>[0]);
  return {
    put,
    call: async (name, input) => (await client.callTool({ name, arguments: input })) as Ended,
    close: async () => {
      await transport.terminateSession();
      await client.close();
    },
  };
}

export interface Round {
  state?: string;
  response?: unknown;
  idempotencyKey?: string;
  /** The client declares no forms. */
  mute?: boolean;
}

/** One round of a call by hand. */
export async function round(key: string, name: string, input: Record<string, unknown>, how: Round = {}) {
  const params = {
    name,
    arguments: input,
    ...(how.state === undefined ? {} : { requestState: how.state }),
    ...(how.response === undefined ? {} : { inputResponses: { decision: how.response } }),
    _meta: {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientInfo": { name: "by-hand", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": how.mute ? {} : { elicitation: { form: {} } },
      ...(how.idempotencyKey === undefined ? {} : { "waypost/idempotency-key": how.idempotencyKey }),
    },
  };
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params });
  const headers = { ...MCP_HEADERS, "Mcp-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": name };
  const reply = await send("/mcp", { key, body, headers });
  const told = typeof reply.body === "string" ? JSON.parse(/^data: (.*)$/m.exec(reply.body)?.[1] ?? "{}") : reply.body;
  return { status: reply.status, result: told.result, error: told.error, state: told.result?.requestState as string };
}

export const yes = { action: "accept", content: {} } as const;
export const no = { action: "decline" } as const;
