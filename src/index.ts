import { failureResponse, problemResponse } from "./api/problem.ts";
import type { Env } from "./env.ts";
import { WaypostError } from "./errors.ts";
import { addressed } from "./gate/challenge.ts";
import { preflight, withCors } from "./gate/cors.ts";
import { requestIdOf } from "./gate/headers.ts";
import { isEnding, STOP } from "./gate/under_way.ts";
import { lazily } from "./lazily.ts";
import { app } from "./routes.ts";

export { AuthStore } from "./auth/store/auth_store.ts";
export { Ledger } from "./ledger/ledger.ts";
export { McpSession } from "./mcp/sessions/mcp_session.ts";
export { Runs } from "./runs/runs.ts";
export { Vault } from "./vault/vault.ts";

/**
 * Both doors, with the schemas of every tool, are most of what a start would have to run. An object's isolate has no use for
 * them, and one that serves REST does without MCP's SDK.
 */
const mcp = lazily(() => import("./mcp/door.ts"));
const rest = lazily(() => import("./rest_routes.ts"));
const oauth = lazily(() => import("./api/oauth.ts"));

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const origin = request.headers.get("origin");
    if (isEnding())
      return problem(request, new WaypostError("unavailable", "The server is ending.", { retry_after: 5 }));
    if (request.method === "OPTIONS") return options(request, env, origin);
    const { url } = request;
    const surface = isMcp(url) ? "mcp" : "v1";
    let response: Response;
    if (surface === "mcp") response = await (await mcp()).mcp(request, env, ctx);
    else if (isBelow(url, "/v1", "/")) response = await (await rest()).restApp.fetch(request, env, ctx);
    else response = await app.fetch(request, env, ctx);
    if (response.status === 401 || response.status === 403) response = addressed(env, request, surface, response);
    return origin === null ? response : withCors(env, origin, response);
  },

  async scheduled(event, env): Promise<void> {
    if (event.cron === STOP) return (await import("./gate/stop.ts")).stop(env);
    const { purgeExpired } = await import("./auth/purge.ts");
    const { reconcile } = await import("./books/reconcile.ts");
    await purgeExpired(env);
    await reconcile(env);
  },
} satisfies ExportedHandler<Env>;

async function options(request: Request, env: Env, origin: string | null): Promise<Response> {
  const requestId = requestIdOf(request.headers);
  let response: Response;
  try {
    const { oauthPreflight } = await oauth();
    response = oauthPreflight(request) ?? preflight(env, origin, request.headers.get("access-control-request-headers"));
  } catch (error) {
    response = failureResponse(error, requestId);
    response.headers.set("Vary", "Origin");
  }
  response.headers.set("X-Request-Id", requestId);
  return response;
}

const problem = (request: Request, error: WaypostError): Response =>
  problemResponse(error, requestIdOf(request.headers));

const isMcp = (url: string): boolean => isBelow(url, "/mcp", "?") || isBelow(url, "/mcp/", "?");

/** Whether the path is this one or goes on with `next`: parsing the whole URL would cost every call more than this look. */
function isBelow(url: string, path: string, next: string): boolean {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  const end = start + path.length;
  return url.startsWith(path, start) && (url.length === end || url[end] === next);
}
