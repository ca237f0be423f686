import type { Context } from "hono";
import { html } from "hono/html";
import { requestIdOf } from "../gate/headers.ts";
import type { Http } from "../gate/route.ts";
import { unknownRoute } from "../http.ts";
import { showPage } from "./respond.ts";

/** The answer at a path that leads nowhere: a page for a person in a browser, the catalogue's JSON for all others. */
export async function unknownPage(c: Context<Http>): Promise<Response> {
  const reads = c.req.method === "GET" || c.req.method === "HEAD";
  if (!reads || !/\btext\/html\b/i.test(c.req.header("accept") ?? "")) return unknownRoute(c);
  c.header("X-Request-Id", requestIdOf(c.req.raw.headers));
  return showPage(c, null, {
    title: "Not found",
    status: 404,
    body: html`<h1>There is nothing at this address</h1>
      <p>It may have been mistyped, or what was here has moved.</p>
      <p><a class="button" href="/">To the start</a></p>`,
  });
}
