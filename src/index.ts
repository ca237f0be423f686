import { api } from "./api/app.ts";
import type { Env } from "./env.ts";
import { mcp } from "./mcp/door.ts";

export { Ledger } from "./ledger/ledger.ts";
export { Vault } from "./vault/vault.ts";

export default {
  fetch(request, env, ctx): Response | Promise<Response> {
    const { pathname } = new URL(request.url);
    return pathname === "/mcp" ? mcp(request, env, ctx) : api.fetch(request, env, ctx);
  },
} satisfies ExportedHandler<Env>;
