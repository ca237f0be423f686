import { type Context, Hono } from "hono";
import { WaypostError } from "../errors.ts";
import { corsHeaders, preflight } from "../gate/cors.ts";
import { requestIdOf } from "../gate/headers.ts";
import { logFailure } from "../gate/log.ts";
import { tools } from "../tools/registry.ts";
import { home } from "../web/home.ts";
import { openApiDocument } from "./openapi.ts";
import { errors, health, ready, setup } from "./operations.ts";
import { problemResponse } from "./problem.ts";
import { type Api, toolRoute } from "./tool_route.ts";

/** The REST door: one route a tool, derived from its definition, and the routes about the server itself. */
export const api = new Hono<Api>();

api.use(async (c, next) => {
  c.set("requestId", requestIdOf(c.req.raw.headers));
  if (c.req.method === "OPTIONS") return preflight(c.env, c.req.raw);
  await next();
  c.res.headers.set("X-Request-Id", c.get("requestId"));
  const origin = c.req.header("origin");
  if (origin) for (const [name, value] of Object.entries(corsHeaders(c.env, origin))) c.res.headers.set(name, value);
});

const allowed = new Map<string, string[]>();

function route(
  method: "get" | "post" | "delete",
  path: string,
  handler: (c: Context<Api>) => Response | Promise<Response>,
) {
  api.on(method.toUpperCase(), path, handler);
  const methods = allowed.get(path) ?? [];
  allowed.set(path, [...methods, ...(method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()])]);
}

for (const tool of tools) route(tool.rest.method, `/v1${tool.rest.path.replace(/\{(\w+)\}/g, ":$1")}`, toolRoute(tool));
route("get", "/", home);
route("get", "/health", health);
route("get", "/ready", ready);
route("get", "/openapi.json", (c) => c.json(openApiDocument()));
route("get", "/errors", errors);
route("get", "/errors/:code", errors);
route("post", "/setup", setup);

for (const [path, methods] of allowed) {
  api.all(path, (c) => {
    const error = new WaypostError("method_not_allowed", `This route takes ${methods.join(", ")}.`);
    return problemResponse(error, c.get("requestId"), { Allow: methods.join(", ") });
  });
}

api.notFound((c) =>
  problemResponse(new WaypostError("unknown_route", "There is nothing at this path."), c.get("requestId")),
);

api.onError((error, c) => {
  const requestId = c.get("requestId");
  if (error instanceof WaypostError) return problemResponse(error, requestId);
  logFailure("api", requestId, error);
  return problemResponse(new WaypostError("internal", "Something failed that should not have."), requestId);
});
