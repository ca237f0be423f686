import { dialectRoute } from "./api/dialect_route.ts";
import { live } from "./api/live.ts";
import { openApiDocument } from "./api/openapi.ts";
import { errors, health, ready, setup } from "./api/operations.ts";
import { cancelCall, readEvents } from "./api/stream.ts";
import { toolRoute } from "./api/tool_route.ts";
import type { Route } from "./gate/route.ts";
import { httpApp } from "./http.ts";
import { lazily } from "./lazily.ts";
import { tools } from "./tools/registry.ts";
import { home } from "./web/home.ts";

/** The tools over REST, derived from their definitions. */
const toolRoutes: Route[] = tools.map((tool) => ({
  method: tool.rest.method.toUpperCase() as Route["method"],
  path: `/v1${tool.rest.path.replace(/\{(\w+)\}/g, ":$1")}${tool.rest.slashes ? "{.+}" : ""}`,
  guard: "bearer",
  handler: tool.dialect ? dialectRoute(tool) : toolRoute(tool),
}));

/** What belongs to a call that runs, and is no call of its own. */
const runRoutes: Route[] = [
  { method: "GET", path: "/v1/chat/:call_id/events", guard: "bearer", handler: readEvents },
  { method: "DELETE", path: "/v1/chat/:call_id", guard: "bearer", handler: cancelCall },
  { method: "GET", path: "/v1/sessions/:session_id/live", guard: "bearer", handler: live },
];

/** The routes about the server itself. */
const operations: Route[] = [
  { method: "GET", path: "/", guard: "open", handler: home },
  { method: "GET", path: "/health", guard: "open", handler: health },
  { method: "GET", path: "/ready", guard: "open", handler: ready },
  { method: "GET", path: "/openapi.json", guard: "open", handler: (c) => c.json(openApiDocument()) },
  { method: "GET", path: "/errors", guard: "open", handler: errors },
  { method: "GET", path: "/errors/:code", guard: "open", handler: errors },
  { method: "POST", path: "/setup", guard: "protocol", handler: setup },
];

/** Routes that a start makes ready. With `identityRoutes` they are every HTTP route there is, but `/mcp`. */
export const routes: readonly Route[] = [...toolRoutes, ...runRoutes, ...operations];

const identity = lazily(() => import("./identity_routes.ts"));

/** Everything over HTTP that is not MCP. Identity's part, with its libraries, is loaded when it is first asked for. */
export const app = httpApp(routes, async (c) => {
  const { identityApp } = await identity();
  return identityApp.fetch(c.req.raw, c.env, c.executionCtx);
});
