import { type Context, Hono } from "hono";
import { WaypostError } from "../errors.ts";
import { requestIdOf } from "../gate/headers.ts";
import { tools } from "../tools/registry.ts";
import { home } from "../web/home.ts";
import { openApiDocument } from "./openapi.ts";
import { errors, health, ready, setup } from "./operations.ts";
import { failureResponse, problemResponse } from "./problem.ts";
import { type Api, toolRoute } from "./tool_route.ts";

/** The REST door: one route a tool, derived from its definition, and the routes about the server itself. */
export const api = new Hono<Api>();

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
/** A route about the server itself. */
const plain =
  (handler: (c: Context<Api>) => Response | Promise<Response>) =>
  (c: Context<Api>): Response | Promise<Response> => {
    c.header("X-Request-Id", requestIdOf(c.req.raw.headers));
    return handler(c);
  };
route("get", "/", plain(home));
route("get", "/health", plain(health));
route("get", "/ready", plain(ready));
route(
  "get",
  "/openapi.json",
  plain((c) => c.json(openApiDocument())),
);
route("get", "/errors", plain(errors));
route("get", "/errors/:code", plain(errors));
route("post", "/setup", plain(setup));

for (const [path, methods] of allowed) {
  api.all(path, (c) => {
    const error = new WaypostError("method_not_allowed", `This route takes ${methods.join(", ")}.`);
    return problemResponse(error, requestIdOf(c.req.raw.headers), { Allow: methods.join(", ") });
  });
}

api.notFound((c) =>
  problemResponse(new WaypostError("unknown_route", "There is nothing at this path."), requestIdOf(c.req.raw.headers)),
);
api.onError((error, c) => failureResponse(error, requestIdOf(c.req.raw.headers)));
