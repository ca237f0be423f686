import { dialectRoute } from "./api/dialect_route.ts";
import { live } from "./api/live.ts";
import { cancelCall, readEvents } from "./api/stream.ts";
import { toolRoute } from "./api/tool_route.ts";
import type { Route } from "./gate/route.ts";
import { httpApp } from "./http.ts";
import { tools } from "./tools/registry.ts";

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

/** What a bearer credential leads to: everything below `/v1`. */
export const restRoutes: readonly Route[] = [...toolRoutes, ...runRoutes];
export const restApp = httpApp(restRoutes);
