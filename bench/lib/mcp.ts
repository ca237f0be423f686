import type { Target } from "./load.ts";

/** What is asked of an MCP server, of this one and of a bare one with the same tools. */

export const ERAS = ["2026", "2025"] as const;
export type Era = (typeof ERAS)[number];

const VERSIONS: Record<Era, string> = { "2026": "2026-07-28", "2025": "2025-11-25" };

/** One JSON-RPC request as a client of the era sends it. */
export function rpc(url: string, headers: Record<string, string>, era: Era, method: string, params: object): Target {
  const modern = era === "2026";
  const meta = {
    "io.modelcontextprotocol/protocolVersion": VERSIONS["2026"],
    "io.modelcontextprotocol/clientInfo": { name: "bench", version: "1.0.0" },
    "io.modelcontextprotocol/clientCapabilities": {},
  };
  const { name, uri } = params as { name?: string; uri?: string };
  const named = name ?? uri;
  return {
    name: `${method} ${era}`,
    url: `${url}/mcp`,
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": VERSIONS[era],
      ...(modern ? { "mcp-method": method, ...(named ? { "mcp-name": named } : {}) } : {}),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: modern ? { ...params, _meta: meta } : params }),
  };
}

/** Compared with the bare server: what both offer, and how much of its rate this one must reach. */
export const COMPARED: readonly { method: string; params: object; goal: number }[] = [
  { method: "tools/call", params: { name: "usage", arguments: {} }, goal: 0.85 },
  { method: "tools/list", params: {}, goal: 1 },
];

/** Measured for information: the bare server has none of these. */
export const OWN: readonly { method: string; params: object }[] = [
  { method: "resources/read", params: { uri: "waypost://models" } },
  { method: "resources/list", params: {} },
  { method: "prompts/get", params: { name: "answer.grounded", arguments: { question: "How hot?" } } },
  { method: "prompts/list", params: {} },
];
