import { api } from "./api/app.ts";
import type { Env } from "./env.ts";
import { preflight, withCors } from "./gate/cors.ts";
import { mcp } from "./mcp/door.ts";

export { AuthStore } from "./auth/store/auth_store.ts";
export { Ledger } from "./ledger/ledger.ts";
export { Vault } from "./vault/vault.ts";

export default {
  async fetch(request, env, ctx): Promise<Response> {
    const origin = request.headers.get("origin");
    if (request.method === "OPTIONS") return preflight(env, origin);
    const response = await (isMcp(request.url) ? mcp(request, env, ctx) : api.fetch(request, env, ctx));
    return origin === null ? response : withCors(env, origin, response);
  },
} satisfies ExportedHandler<Env>;

/** Whether the path is `/mcp`: parsing the whole URL would cost every call more than this look. */
function isMcp(url: string): boolean {
  const path = url.indexOf("/", url.indexOf("//") + 2);
  return url.startsWith("/mcp", path) && (url.length === path + 4 || url[path + 4] === "?");
}
