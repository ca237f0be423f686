import { Client, ProtocolError, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Connection } from "../fuzz/connection.ts";
import type { Input } from "../fuzz/input.ts";

/** Kinds of clients that speak to one server at the same time. Whoever they are, their JSON-RPC ids are the same. */

export type Kind = "sdk-2026" | "sdk-2025" | "sdk-2025-session" | "raw-2026" | "raw-2025";

export interface Asked {
  method: "tools/call" | "prompts/get" | "resources/read";
  params: Record<string, unknown>;
}

export interface ChatterClient {
  kind: Kind;
  /** The whole result or error, as text. @throws Error when the answer is none, or another request's */
  ask(asked: Asked): Promise<string>;
  close(): Promise<void>;
}

const MODERN = "2026-07-28";
const LEGACY = "2025-11-25";

export function openClient(kind: Kind, url: string, key: string): Promise<ChatterClient> {
  return kind.startsWith("raw") ? rawClient(kind, url, key) : sdkClient(kind, url, key);
}

async function sdkClient(kind: Kind, url: string, key: string): Promise<ChatterClient> {
  const client = new Client(
    { name: "crosstalk", version: "1.0.0" },
    {
      versionNegotiation: { mode: kind === "sdk-2026" ? { pin: MODERN } : "legacy" },
      // A client that can be asked something is given a session.
      capabilities: kind === "sdk-2025-session" ? { roots: {} } : {},
    },
  );
  const requestInit = { headers: { Authorization: `Bearer ${key}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${url}/mcp`), { requestInit }));
  const send = ({ method, params }: Asked): Promise<unknown> => {
    if (method === "tools/call") return client.callTool(params as Parameters<Client["callTool"]>[0]);
    if (method === "prompts/get") return client.getPrompt(params as Parameters<Client["getPrompt"]>[0]);
    return client.readResource(params as Parameters<Client["readResource"]>[0]);
  };
  return {
    kind,
    close: () => client.close(),
    ask: async (asked) => {
      try {
        return JSON.stringify(await send(asked));
      } catch (error) {
        if (error instanceof ProtocolError) return JSON.stringify({ message: error.message, data: error.data });
        throw error;
      }
    },
  };
}

/** The same id for every request of every such client. */
const ID = 1;

async function rawClient(kind: Kind, url: string, key: string): Promise<ChatterClient> {
  const modern = kind === "raw-2026";
  const { port } = new URL(url);
  // Two connections: a client of this kind has two requests with one id under way.
  const connections = [new Connection(Number(port)), new Connection(Number(port))];
  const idle = [...connections];
  return {
    kind,
    close: async () => {
      for (const connection of connections) connection.close();
    },
    ask: async (asked) => {
      const connection = idle.pop();
      if (!connection) throw new Error("a raw client has two requests under way at most");
      try {
        return await exchange(connection, request(asked, modern, key));
      } finally {
        idle.push(connection);
      }
    },
  };
}

const META = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientInfo": { name: "crosstalk", version: "1.0.0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

function request({ method, params }: Asked, modern: boolean, key: string): Input {
  const name = params.name ?? params.uri;
  const { _meta: meta, ...rest } = params as { _meta?: object };
  const body = { jsonrpc: "2.0", id: ID, method, params: { ...rest, _meta: { ...meta, ...(modern ? META : {}) } } };
  return {
    n: 0,
    surface: "mcp",
    method: "POST",
    target: "/mcp",
    headers: [
      ["Host", "localhost"],
      ["Authorization", `Bearer ${key}`],
      ["Content-Type", "application/json"],
      ["Accept", "application/json, text/event-stream"],
      ["Mcp-Protocol-Version", modern ? MODERN : LEGACY],
      ...(modern
        ? ([
            ["Mcp-Method", method],
            ["Mcp-Name", String(name)],
          ] as [string, string][])
        : []),
    ],
    body: Buffer.from(JSON.stringify(body)),
    framing: { kind: "length", lie: 0 },
    delivery: { kind: "whole" },
    malformed: false,
    mayStayOpen: false,
  };
}

async function exchange(connection: Connection, input: Input): Promise<string> {
  const answer = await connection.send(input);
  if (answer.missing !== null) throw new Error(`no answer: ${answer.missing} ${answer.detail}`);
  const json = /event-stream/.test(answer.headers.get("content-type") ?? "")
    ? ([...answer.text.matchAll(/^data: (.*)$/gm)].at(-1)?.[1] ?? "")
    : answer.text;
  const message = JSON.parse(json) as { id?: unknown; result?: unknown; error?: unknown };
  if (message.id !== ID) throw new Error(`an answer to ${JSON.stringify(message.id)}, and ${ID} was asked`);
  return JSON.stringify(message.result ?? message.error);
}
