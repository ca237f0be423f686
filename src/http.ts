import type { Context } from "hono";
import { HonoBase } from "hono/hono-base";
import { clientsAsk, failureResponse, problemResponse } from "./api/problem.ts";
import { WaypostError } from "./errors.ts";
import { requestIdOf } from "./gate/headers.ts";
import { logRefusal } from "./gate/log.ts";
import type { Http, Route } from "./gate/route.ts";
import { RememberingRouter } from "./router.ts";

type Handler = (c: Context<Http>) => Response | Promise<Response>;

/**
 * An app of routes: another method of a known path is 405, whatever fails is a problem document. `otherwise` answers
 * unknown paths; not `strict`: a slash at the end of a path changes nothing.
 */
export function httpApp(
  routes: readonly Route[],
  otherwise: Handler = unknownRoute,
  options: { strict?: boolean } = {},
): HonoBase<Http> {
  // The router that Hono tries first cannot hold these routes, and every start would find that out anew.
  const app = new HonoBase<Http>({ ...options, router: new RememberingRouter() });
  const allowed = new Map<string, string[]>();
  for (const { method, path, guard, handler } of routes) {
    // A tool's answer carries its request id already.
    app.on(method, path, guard === "bearer" ? handler : withRequestId(handler));
    allowed.set(path, [...(allowed.get(path) ?? []), ...(method === "GET" ? ["GET", "HEAD"] : [method])]);
  }
  for (const [path, methods] of allowed) {
    app.all(path, (c) => {
      const error = new WaypostError("method_not_allowed", `This route takes ${methods.join(", ")}.`);
      const headers = { Allow: methods.join(", ") };
      return problemResponse(error, requestIdOf(c.req.raw.headers), headers, clientsAsk(path));
    });
  }
  app.notFound(otherwise);
  app.onError((error, c) => {
    const requestId = requestIdOf(c.req.raw.headers);
    if (error instanceof WaypostError) logRefusal("http", requestId, error);
    return failureResponse(error, requestId);
  });
  return app;
}

export function unknownRoute(c: Context<Http>): Response {
  const error = new WaypostError("unknown_route", "There is nothing at this path.");
  const belowV1 = c.req.path.startsWith("/v1/");
  return problemResponse(error, requestIdOf(c.req.raw.headers), undefined, belowV1);
}

function withRequestId(handler: Handler): Handler {
  return (c) => {
    c.header("X-Request-Id", requestIdOf(c.req.raw.headers));
    return handler(c);
  };
}
