import { MODERN } from "./client.ts";
import { MCP_HEADERS, send } from "./refusal.ts";

/** One request by hand, as either kind of client sends it. */
export function ask(key: string | null, method: string, params: Record<string, unknown>, modern: boolean) {
  const envelope = {
    _meta: {
      "io.modelcontextprotocol/protocolVersion": MODERN,
      "io.modelcontextprotocol/clientInfo": { name: "by-hand", version: "1" },
      "io.modelcontextprotocol/clientCapabilities": {},
    },
  };
  const named = (params.uri ?? params.name) as string | undefined;
  const body = JSON.stringify({ jsonrpc: "2.0", id: 7, method, params: { ...params, ...(modern ? envelope : {}) } });
  const told: Record<string, string> = modern
    ? { "Mcp-Protocol-Version": MODERN, "Mcp-Method": method, ...(named === undefined ? {} : { "Mcp-Name": named }) }
    : {};
  return send("/mcp", { key, body, headers: { ...MCP_HEADERS, ...told } }).then((reply) => ({
    ...reply,
    body: typeof reply.body === "string" ? JSON.parse(/^data: (.*)$/m.exec(reply.body)?.[1] ?? "{}") : reply.body,
  }));
}
