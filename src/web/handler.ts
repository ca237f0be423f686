import type { Context } from "hono";
import { html } from "hono/html";
import type { User } from "../auth/directory.ts";
import type { PresentedSession } from "../auth/sessions.ts";
import { type Problem, toProblem, WaypostError } from "../errors.ts";
import { requestIdOf } from "../gate/headers.ts";
import { logFailure, logRefusal } from "../gate/log.ts";
import type { Http, Route } from "../gate/route.ts";
import { type PageOptions, seeOther, showPage } from "./respond.ts";
import { Visit } from "./visit.ts";

type Handler = (c: Context<Http>, visit: Visit) => Promise<Response>;
type SignedInHandler = (
  c: Context<Http>,
  visit: Visit,
  signedIn: PresentedSession & { user: User },
) => Promise<Response>;

/** The handler of a page: whoever comes with a bearer, or wants to frame it, is refused; failures become pages. */
export function page(handler: Handler): Route["handler"] {
  return async (c) => {
    refuseBearer(c);
    try {
      refuseFrame(c);
      return await handler(c, await Visit.of(c.req.raw, c.env));
    } catch (thrown) {
      return failurePage(c, thrown);
    }
  };
}

/** As `page`, for people who are signed in; everyone else is sent to sign in, and comes back. */
export function signedInPage(handler: SignedInHandler): Route["handler"] {
  return page(async (c, visit) => {
    if (visit.signedIn) return handler(c, visit, visit.signedIn);
    const here = c.req.method === "POST" ? "/account" : pathOf(c);
    return seeOther(c, visit, `/sign-in?next=${encodeURIComponent(here)}`);
  });
}

/** As `page`, for what a page's script asks: failures are the catalogue's JSON. */
export function scripted(handler: Handler): Route["handler"] {
  return async (c) => {
    refuseBearer(c);
    return handler(c, await Visit.of(c.req.raw, c.env));
  };
}

/** Path and query of the request. */
export function pathOf(c: Context<Http>): string {
  const { pathname, search } = new URL(c.req.url);
  return `${pathname}${search}`;
}

/** The page for a failure: a catalogue error in its own words, anything else as `internal`. */
export async function failurePage(c: Context<Http>, thrown: unknown): Promise<Response> {
  const requestId = requestIdOf(c.req.raw.headers);
  if (thrown instanceof WaypostError) logRefusal("web", requestId, thrown);
  else logFailure("web", requestId, thrown);
  const error =
    thrown instanceof WaypostError ? thrown : new WaypostError("internal", "Something failed that should not have.");
  const problem = toProblem(error, requestId);
  const status = problem.status as PageOptions["status"];
  return showPage(c, null, { title: problem.title, status, popup: true, body: explanation(problem) });
}

function explanation(problem: Problem) {
  return html`<h1>${problem.title}</h1>
    <p>${problem.detail}</p>
    <p>${problem.next}</p>
    <p class="quiet">${problem.code} &middot; ${problem.request_id}</p>
    <p><a class="button secondary" href="/account">Your account</a></p>`;
}

/** A program's credential never acts as a person. @throws WaypostError `unauthenticated` */
function refuseBearer(c: Context<Http>): void {
  if (c.req.raw.headers.has("authorization")) {
    throw new WaypostError("unauthenticated", "Pages are for people who sign in: they take no Authorization header.");
  }
}

/** For browsers that would show a framed page before they read its headers. @throws WaypostError `form_refused` */
function refuseFrame(c: Context<Http>): void {
  const destination = c.req.raw.headers.get("sec-fetch-dest");
  if (destination !== null && ["iframe", "frame", "object", "embed", "fencedframe"].includes(destination)) {
    throw new WaypostError("form_refused", "This page does not open inside another page.");
  }
}
