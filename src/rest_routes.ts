import { dialectRoute } from "./api/dialect_route.ts";
import { live } from "./api/live.ts";
import { cancelCall, readEvents } from "./api/stream.ts";
import { toolRoute } from "./api/tool_route.ts";
import type { Route } from "./gate/route.ts";
import { httpApp, unknownRoute } from "./http.ts";
import { places } from "./tools/places.ts";

/** The tools over REST, where `places` says they are. */
const toolRoutes: Route[] = places.map((place) => ({
  method: place.rest.method.toUpperCase() as Route["method"],
  path: `/v1${place.rest.path.replace(/\{(\w+)\}/g, ":$1")}${place.rest.slashes ? "{.+}" : ""}`,
  guard: "bearer",
  handler: place.dialect ? dialectRoute(place) : toolRoute(place),
}));

/** What belongs to a call that runs, and is no call of its own. */
const runRoutes: Route[] = [
  { method: "GET", path: "/v1/chat/:call_id/events", guard: "bearer", handler: readEvents },
  { method: "DELETE", path: "/v1/chat/:call_id", guard: "bearer", handler: cancelCall },
  { method: "GET", path: "/v1/sessions/:session_id/live", guard: "bearer", handler: live },
];

/** What a bearer credential leads to: everything below `/v1`. */
export const restRoutes: readonly Route[] = [...toolRoutes, ...runRoutes];
export const restApp = httpApp(restRoutes, unknownRoute, { strict: false });
