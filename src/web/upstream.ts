import type { Context } from "hono";
import { html } from "hono/html";
import { Invitations } from "../auth/invitations.ts";
import { beginSignIn } from "../auth/upstream/authorization.ts";
import { identityFrom } from "../auth/upstream/exchange.ts";
import { UpstreamFailure } from "../auth/upstream/failure.ts";
import { type Provider, providerOf } from "../auth/upstream/providers.ts";
import { userFor } from "../auth/upstream/sign_in.ts";
import { type Purpose, take } from "../auth/upstream/transaction.ts";
import { urlsOf } from "../auth/urls.ts";
import { WaypostError } from "../errors.ts";
import { requestIdOf } from "../gate/headers.ts";
import type { Http, Route } from "../gate/route.ts";
import { readForm } from "./form.ts";
import { page } from "./handler.ts";
import { admitBeginning } from "./limit.ts";
import { safeNext } from "./next.ts";
import { leadTo, seeOther, showPage } from "./respond.ts";
import { signIn } from "./sign_in.ts";
import { failurePage, refusalPage } from "./upstream_pages.ts";
import type { Visit } from "./visit.ts";

/**
 * Signing in at somebody else's: `POST /sign-in/with/<provider>` begins it and `GET /sign-in/callback/<provider>` is where
 * the provider sends the browser back to.
 *
 * Fields of the form, besides its token: `next`, the path to go to afterwards; `invitation`, the secret of a claim link,
 * when the person takes possession of its user; `link`, when the signed-in user adds this way to sign in.
 */
export const upstreamRoutes: Route[] = [
  { method: "POST", path: "/sign-in/with/:provider", guard: "open", handler: page(begin) },
  { method: "GET", path: "/sign-in/callback/:provider", guard: "open", handler: page(finish) },
];

async function begin(c: Context<Http>, visit: Visit): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  const provider = providerOf(c.env, c.req.param("provider") ?? "");
  await admitBeginning(c.req.raw, c.env);
  const home = homeOf(c, form);
  if (home) return leadTo(c, visit, { url: home, name: "Waypost", note: "Sign in at this server's own address." });
  const linkTo = form.has("link") ? (visit.signedIn?.user.id ?? null) : null;
  // Whoever meant to add a way to sign in, and is signed out by now, must not end up as somebody else.
  if (form.has("link") && linkTo === null) return seeOther(c, visit, "/sign-in?next=%2Faccount");
  const invitation = form.get("invitation");
  if (invitation !== null && !(await new Invitations(c.env).look(invitation))) {
    throw new WaypostError("link_invalid", "It was used, has expired, or was not copied whole.");
  }
  const purpose = { next: safeNext(form.get("next")), invitation, linkTo };
  try {
    const { url, cookie } = await beginSignIn(c.env, c.req.raw, provider, purpose);
    visit.cookies.push(cookie);
    return await leadTo(c, visit, { url, name: provider.name, note: "If nothing happens, use the button." });
  } catch (error) {
    return failed(c, visit, provider, purpose, error);
  }
}

/**
 * Where to begin instead, for somebody at one of our further origins: providers send people back to the first one, where
 * the cookies of this one do not count. Null for everybody else.
 */
function homeOf(c: Context<Http>, form: URLSearchParams): string | null {
  const { issuer, origins } = urlsOf(c.env);
  const { origin } = new URL(c.req.url);
  if (origin === issuer || !origins.includes(origin)) return null;
  const invitation = form.get("invitation");
  if (invitation !== null) return `${issuer}/claim/${encodeURIComponent(invitation)}`;
  if (form.has("link")) return `${issuer}/account`;
  return `${issuer}/sign-in?next=${encodeURIComponent(safeNext(form.get("next")))}`;
}

async function finish(c: Context<Http>, visit: Visit): Promise<Response> {
  const provider = providerOf(c.env, c.req.param("provider") ?? "");
  // A look ahead must not use up what can be used once.
  if (c.req.method === "HEAD") return showPage(c, visit, { title: "Signing in", body: html`` });
  const parameters = new URL(c.req.url).searchParams;
  let purpose: Purpose | null = null;
  try {
    const transaction = await take(c.env, c.req.raw, parameters.get("state") ?? "");
    if (!transaction) throw new UpstreamFailure("expired", "no_transaction");
    purpose = transaction;
    if (transaction.provider !== provider.id) throw new UpstreamFailure("untrusted", "other_provider");
    if (purpose.linkTo !== null && purpose.linkTo !== visit.signedIn?.user.id) {
      throw new UpstreamFailure("expired", "signed_out");
    }
    const identity = await identityFrom(c.env, provider, transaction, parameters);
    const outcome = await userFor(c.env, identity, purpose);
    log(c, provider, outcome.kind === "user" ? outcome.how : outcome.kind);
    if (outcome.kind !== "user") return await refusalPage(c, visit, provider, purpose, outcome.kind);
    // Who adds a way to sign in is signed in, and stays so.
    if (outcome.how === "linked") return seeOther(c, visit, purpose.next);
    return await signIn(c, visit, outcome.user, provider.id, purpose.next);
  } catch (error) {
    return failed(c, visit, provider, purpose, error);
  }
}

async function failed(
  c: Context<Http>,
  visit: Visit,
  provider: Provider,
  purpose: Purpose | null,
  error: unknown,
): Promise<Response> {
  if (!(error instanceof UpstreamFailure)) throw error;
  log(c, provider, error.kind, error.reason);
  return failurePage(c, visit, provider, purpose, error.kind);
}

/** One line a sign-in: who vouched and what came of it, never for whom or with what. */
function log(c: Context<Http>, provider: Provider, outcome: string, reason?: string): void {
  const request_id = requestIdOf(c.req.raw.headers);
  console.log(JSON.stringify({ event: "sign_in", request_id, provider: provider.id, outcome, reason }));
}
