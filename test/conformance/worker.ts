import type { Env } from "../../src/env.ts";
import { addressed } from "../../src/gate/challenge.ts";
import { withCors } from "../../src/gate/cors.ts";
import product from "../../src/index.ts";
import { mcpDoor } from "../../src/mcp/door.ts";
import type { Exchange } from "../../src/mcp/exchange.ts";
import type { ServerFacts } from "../../src/mcp/server.ts";
import { McpSession as ProductSession } from "../../src/mcp/sessions/mcp_session.ts";
import { Gauge } from "./gauge.ts";
import { conformanceServer } from "./server.ts";

/**
 * The product with the fixtures of the official suites in its MCP door. It serves in the environment `conformance` alone,
 * which no configuration has: the runner makes it.
 */

export { AuthStore, Ledger, Runs, Vault } from "../../src/index.ts";

export class McpSession extends ProductSession {
  protected override serverFor(exchange: Exchange, facts: ServerFacts) {
    return conformanceServer(exchange, facts);
  }
}

const door = mcpDoor(conformanceServer);
const streams = new Gauge();

/** Streams that are open here, of requests that asked to be counted, and those of a session: `GET /conformance/streams?session=<id>`. */
async function openStreams(url: URL, env: Env): Promise<Response> {
  const id = url.searchParams.get("session");
  const session = id ? await env.MCP_SESSIONS.get(env.MCP_SESSIONS.idFromString(id)).openStreams : 0;
  return Response.json({ door: streams.open, session });
}

export default {
  async fetch(request, env, ctx): Promise<Response> {
    if (env.ENVIRONMENT !== "conformance") return new Response("These are test fixtures.\n", { status: 503 });
    const url = new URL(request.url);
    if (url.pathname === "/conformance/streams") return openStreams(url, env);
    if (request.method === "OPTIONS" || url.pathname !== "/mcp") return product.fetch(request, env, ctx);
    let response = await door(request, env, ctx);
    if (request.headers.has("x-conformance-gauge")) response = streams.watch(response, ctx);
    if (response.status === 401 || response.status === 403) response = addressed(env, request, "mcp", response);
    const origin = request.headers.get("origin");
    return origin === null ? response : withCors(env, origin, response);
  },
} satisfies ExportedHandler<Env>;
