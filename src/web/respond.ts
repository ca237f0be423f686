import type { Context } from "hono";
import { html } from "hono/html";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Http } from "../gate/route.ts";
import { type Html, layout } from "./layout.ts";
import type { Visit } from "./visit.ts";

/** Headers of every page. Nothing may frame it, nothing foreign runs in it, and no address leaves it as a referrer. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  "Content-Type": "text/html; charset=utf-8",
  "Cache-Control": "no-store",
  "Content-Security-Policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "X-Frame-Options": "DENY",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Permissions-Policy":
    "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

export interface PageOptions {
  title: string;
  body: Html;
  /** Default 200. */
  status?: ContentfulStatusCode;
  /** The page uses passkeys. */
  passkeys?: boolean;
  /** Where the browser goes by itself. */
  refreshTo?: string;
  /** A page of a client's authorization: clients that open it as a popup wait for it, so it stays tied to its opener. */
  popup?: boolean;
}

/** A page. Without a visit it carries no cookies. */
export async function showPage(c: Context<Http>, visit: Visit | null, options: PageOptions): Promise<Response> {
  setHeaders(c, visit, PAGE_HEADERS);
  if (options.popup) c.header("Cross-Origin-Opener-Policy", "unsafe-none");
  return c.body(await layout(options), options.status ?? 200);
}

/** On to another page of ours. */
export function seeOther(c: Context<Http>, visit: Visit | null, path: string): Response {
  setHeaders(c, visit, { "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" });
  return c.redirect(path, 303);
}

/**
 * On to somebody else's address, in answer to a form. A page that leads there and no redirect: Chromium holds every
 * redirect that follows a form to the page's `form-action`, wherever the other side may redirect to, and a browser that
 * hands an app its address (`cursor://…`) stays where it was, so the page has to say something sensible.
 */
export async function leadTo(
  c: Context<Http>,
  visit: Visit | null,
  to: { url: string; name: string; note?: string },
): Promise<Response> {
  return showPage(c, visit, {
    title: `Going on to ${to.name}`,
    refreshTo: to.url,
    popup: true,
    body: html`<h1>Going on to <bdi>${to.name}</bdi></h1>
      <p>${to.note ?? "If nothing happens, use the button. You can close this page afterwards."}</p>
      <p><a class="button" rel="noreferrer" href="${to.url}">Continue</a></p>`,
  });
}

function setHeaders(c: Context<Http>, visit: Visit | null, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) c.header(name, value);
  for (const cookie of visit?.cookies ?? []) c.header("Set-Cookie", cookie, { append: true });
}
