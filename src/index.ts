import type { Env } from "./env.ts";
import { addressed } from "./gate/challenge.ts";
import { preflight, withCors } from "./gate/cors.ts";
import { lazily } from "./lazily.ts";
import { app } from "./routes.ts";

export { AuthStore } from "./auth/store/auth_store.ts";
export { Ledger } from "./ledger/ledger.ts";
export { McpSession } from "./mcp/sessions/mcp_session.ts";
export { Runs } from "./runs/runs.ts";
export { Vault } from "./vault/vault.ts";

/** With its SDK it is an eighth of what a start would have to run; one that serves REST does without. */
const door = lazily(() => import("./mcp/door.ts"));
const oauth = lazily(() => import("./api/oauth.ts"));

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const origin = request.headers.get("origin");
    if (request.method === "OPTIONS") {
      const { oauthPreflight } = await oauth();
      return oauthPreflight(request) ?? preflight(env, origin);
    }
    const surface = isMcp(request.url) ? "mcp" : "v1";
    let response = await (surface === "mcp" ? (await door()).mcp(request, env, ctx) : app.fetch(request, env, ctx));
    if (response.status === 401 || response.status === 403) response = addressed(env, request, surface, response);
    return origin === null ? response : withCors(env, origin, response);
  },

  async scheduled(_event, env): Promise<void> {
    const { purgeExpired } = await import("./auth/purge.ts");
    const { reconcile } = await import("./books/reconcile.ts");
    await purgeExpired(env);
    await reconcile(env);
  },
} satisfies ExportedHandler<Env>;

/** Whether the path is `/mcp`: parsing the whole URL would cost every call more than this look. */
function isMcp(url: string): boolean {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  return url.startsWith("/mcp", path) && (url.length === path + 4 || url[path + 4] === "?");
}
