import { errors, health, ready, setup } from "./api/operations.ts";
import type { Route } from "./gate/route.ts";
import { httpApp } from "./http.ts";
import { lazily } from "./lazily.ts";

const openApi = lazily(() => import("./api/openapi.ts"));
const page = lazily(() => import("./web/home.ts"));
const identity = lazily(() => import("./identity_routes.ts"));

/** The routes about the server itself. With `restRoutes` and `identityRoutes` they are every HTTP route there is, but `/mcp`. */
export const routes: readonly Route[] = [
  { method: "GET", path: "/", guard: "open", handler: async (c) => (await page()).home(c) },
  { method: "GET", path: "/health", guard: "open", handler: health },
  { method: "GET", path: "/ready", guard: "open", handler: ready },
  {
    method: "GET",
    path: "/openapi.json",
    guard: "open",
    handler: async (c) => c.json((await openApi()).openApiDocument()),
  },
  { method: "GET", path: "/errors", guard: "open", handler: errors },
  { method: "GET", path: "/errors/:code", guard: "open", handler: errors },
  { method: "POST", path: "/setup", guard: "protocol", handler: setup },
];

/** Everything over HTTP that is neither MCP nor below `/v1`. Identity's part, with its libraries, is loaded when it is first asked for. */
export const app = httpApp(routes, async (c) => {
  const { identityApp } = await identity();
  return identityApp.fetch(c.req.raw, c.env, c.executionCtx);
});
