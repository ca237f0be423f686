import { AuthorizationError, authorizationErrorRedirect, CimdFetchError } from "@cloudflare/workers-oauth-provider";
import type { Context } from "hono";
import { html } from "hono/html";
import { Directory, type Membership } from "../auth/directory.ts";
import { authorize } from "../auth/oauth/authorize.ts";
import { oauthApi, requestedScopes } from "../auth/oauth/server.ts";
import { SCOPE_NAMES, type Scope } from "../auth/scopes.ts";
import { WaypostError } from "../errors.ts";
import type { Http, Route } from "../gate/route.ts";
import { clientNameOf, consentBody } from "./consent_page.ts";
import { readForm } from "./form.ts";
import { grantable } from "./grantable.ts";
import { page, pathOf, signedInPage } from "./handler.ts";
import { plainText } from "./layout.ts";
import { leadTo, seeOther, showPage } from "./respond.ts";
import type { Visit } from "./visit.ts";

/** The authorization endpoint (RFC 6749 3.1): asks a signed-in person whether an app may act for them, and with what. */
const askPage = signedInPage((c, visit, { user }) =>
  explained(c, visit, async () => {
    const api = oauthApi(c.env);
    const request = await api.parseAuthRequest(c.req.raw);
    const client = await api.describeConsent(request);
    const memberships = await new Directory(c.env).membershipsOf(user.id);
    if (memberships.length === 0) throw new WaypostError("conflict", "You belong to no account yet.");
    const scopes = requestedScopes(request).filter((scope) => memberships.some((one) => grantable(scope, one)));
    // What is left of a request for powers nobody here may pass on is not worth allowing.
    const useful = scopes.some((scope) => scope !== "offline_access") ? scopes : [];
    const { handle, headers } = await api.beginConsent(request);
    visit.cookies.push(...headers.getSetCookie());
    const facts = { request, client, user, memberships, scopes: useful, handle, here: pathOf(c) };
    const body = await consentBody(visit, facts);
    return showPage(c, visit, { title: `Allow ${clientNameOf(client)}?`, popup: true, body });
  }),
);

async function answer(c: Context<Http>, visit: Visit): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  if (!visit.signedIn) return seeOther(c, visit, "/sign-in");
  const { user } = visit.signedIn;
  return explained(c, visit, async () => {
    const api = oauthApi(c.env);
    const handle = form.get("handle") ?? "";
    if (form.get("decision") !== "allow") {
      const { request, redirectTo, headers } = await api.denyConsent(c.req.raw, handle);
      visit.cookies.push(...headers.getSetCookie());
      return leadTo(c, visit, { url: redirectTo, name: hostOf(request.redirectUri) });
    }
    const memberships = await new Directory(c.env).membershipsOf(user.id);
    const membership = memberships.find(({ account }) => account === form.get("account"));
    // What does not fit is told before the handle is used up, so that the person can go back and choose again.
    const scopes = chosenScopes(form.getAll("scope"), membership);
    const { request, headers } = await api.approveConsent(c.req.raw, handle);
    visit.cookies.push(...headers.getSetCookie());
    const asked = requestedScopes(request);
    if (!scopes.every((scope) => asked.includes(scope))) {
      throw new WaypostError("invalid_input", "The app did not ask for all that was allowed.");
    }
    const client = await api.describeConsent(request);
    const name = clientNameOf(client);
    const redirectTo = await authorize(c.env, {
      request,
      user: user.id,
      account: membership?.account as string,
      scopes,
      clientName: name,
      clientDomain: client.clientDomain ?? null,
    });
    return leadTo(c, visit, { url: redirectTo, name });
  });
}

/** The scopes a form allows on an account. @throws WaypostError `invalid_input` when they cannot be allowed there */
function chosenScopes(chosen: string[], membership: Membership | undefined): Scope[] {
  if (!membership) throw new WaypostError("invalid_input", "Choose one of your accounts.");
  const scopes = [...new Set(chosen)] as Scope[];
  if (!scopes.some((scope) => scope !== "offline_access")) {
    throw new WaypostError("invalid_input", "Nothing to do was allowed: go back and choose something, or deny.");
  }
  const refused = scopes.filter((scope) => !SCOPE_NAMES.includes(scope) || !grantable(scope, membership));
  if (refused.length > 0) {
    const names = refused.map((scope) => plainText(scope, 40)).join(", ");
    throw new WaypostError("invalid_input", `On this account you cannot allow: ${names}. Go back and leave it out.`);
  }
  return scopes;
}

/**
 * Failures of the authorization, told where it is safe: to the client only when the library has checked client and
 * redirect URI, otherwise on a page of ours (RFC 6749 4.1.2.1).
 */
async function explained(c: Context<Http>, visit: Visit, work: () => Promise<Response>): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof AuthorizationError && error.redirectUri) {
      const { redirectUri, state, issuer, code, description } = error;
      const url = authorizationErrorRedirect({ redirectUri, state, issuer }, code, description);
      return leadTo(c, visit, { url, name: hostOf(redirectUri), note: plainText(description, 200) });
    }
    if (error instanceof AuthorizationError) return refusal(c, visit, plainText(error.description, 200));
    if (error instanceof CimdFetchError) return refusal(c, visit, "The app's own description could not be had.");
    throw error;
  }
}

function refusal(c: Context<Http>, visit: Visit, reason: string): Promise<Response> {
  return showPage(c, visit, {
    title: "This sign-in cannot go on",
    status: 400,
    popup: true,
    body: html`<h1>This sign-in cannot go on</h1>
      <p>${reason}</p>
      <p>Nothing was allowed. Close this page and start again from the app.</p>`,
  });
}

const hostOf = (uri: string): string => new URL(uri).host || plainText(uri);

export const consentRoutes: Route[] = [
  { method: "GET", path: "/oauth/authorize", guard: "open", handler: askPage },
  { method: "POST", path: "/oauth/authorize", guard: "open", handler: page(answer) },
];
