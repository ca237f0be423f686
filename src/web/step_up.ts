import type { Context } from "hono";
import { html } from "hono/html";
import { Directory, type Membership } from "../auth/directory.ts";
import { type ConnectedApp, Grants } from "../auth/oauth/grants.ts";
import { SCOPE_NAMES, SCOPES, type Scope } from "../auth/scopes.ts";
import type { PresentedSession } from "../auth/sessions.ts";
import { WaypostError } from "../errors.ts";
import type { Http, Route } from "../gate/route.ts";
import { readForm } from "./form.ts";
import { grantable } from "./grantable.ts";
import { signedInPage } from "./handler.ts";
import { hidden, plainText } from "./layout.ts";
import { seeOther, showPage } from "./respond.ts";
import type { Visit } from "./visit.ts";

/** The link an agent shows when it lacks a scope: `/account/apps/<grant>/scopes?add=a,b`. Adds them to a connected app. */

async function askPage(c: Context<Http>, visit: Visit, { user }: PresentedSession): Promise<Response> {
  const { app, membership } = await appOf(c, user.id);
  const asked = (c.req.query("add") ?? "").split(",").filter((scope): scope is Scope => isScope(scope));
  if (asked.length === 0) throw new WaypostError("invalid_input", "The link names no scope there is.");
  const missing = asked.filter((scope) => !app.scopes.includes(scope));
  const offered = missing.filter((scope) => grantable(scope, membership));
  const name = plainText(app.client_name);
  const path = `/account/apps/${encodeURIComponent(app.grant)}/scopes`;
  return showPage(c, visit, {
    title: `Allow ${name} more?`,
    body: html`<h1>Allow <bdi>${name}</bdi> more?</h1>
      <p>${
        app.client_domain
          ? html`Published by <strong>${app.client_domain}</strong>.`
          : "This app registered itself: its name is not verified."
      } It is connected to the account <strong><bdi>${membership.name}</bdi></strong>.</p>
      ${missing.length === 0 ? html`<p class="note">It has what the link names already. You can close this page.</p>` : null}
      ${
        offered.length < missing.length
          ? html`<p class="warning">On this account you cannot allow: ${missing.filter((scope) => !offered.includes(scope)).join(", ")}.</p>`
          : null
      }
      ${
        offered.length === 0
          ? null
          : html`<form method="post" action="${path}">${await hidden(visit)}
            <fieldset><legend>From now on it may also</legend>${offered.map(
              (scope) => html`<label><input type="checkbox" name="scope" value="${scope}" checked>
                <span>${SCOPES[scope]} <code>${scope}</code></span></label>`,
            )}</fieldset>
            <button>Allow</button></form>`
      }
      <p><a class="button secondary" href="/account">Your account</a></p>`,
  });
}

async function extend(c: Context<Http>, visit: Visit, { user }: PresentedSession): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  const { app, membership } = await appOf(c, user.id);
  const scopes = [...new Set(form.getAll("scope"))];
  if (scopes.length === 0 || !scopes.every((scope) => isScope(scope) && grantable(scope, membership))) {
    throw new WaypostError("invalid_input", "On this account you cannot allow that.");
  }
  const extended = await new Grants(c.env).extend(user.id, app.grant, scopes as Scope[]);
  if (!extended) throw unknownApp();
  return seeOther(c, visit, "/account");
}

/** A connected app of the user, and what the user is on the account it acts on. */
async function appOf(c: Context<Http>, user: string): Promise<{ app: ConnectedApp; membership: Membership }> {
  const app = (await new Grants(c.env).list(user)).find(({ grant }) => grant === c.req.param("grant"));
  const memberships = app ? await new Directory(c.env).membershipsOf(user) : [];
  const membership = memberships.find(({ account }) => account === app?.account);
  if (!app || !membership) throw unknownApp();
  return { app, membership };
}

const isScope = (text: string): text is Scope => (SCOPE_NAMES as readonly string[]).includes(text);
const unknownApp = () =>
  new WaypostError("not_found", "There is no such app among yours. It may be another user's: sign in as that one.");

export const stepUpRoutes: Route[] = [
  { method: "GET", path: "/account/apps/:grant/scopes", guard: "session", handler: signedInPage(askPage) },
  { method: "POST", path: "/account/apps/:grant/scopes", guard: "session", handler: signedInPage(extend) },
];
