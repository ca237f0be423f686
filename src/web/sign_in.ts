import type { Context } from "hono";
import { html } from "hono/html";
import type { User } from "../auth/directory.ts";
import { PasskeyCeremonies } from "../auth/passkey_ceremonies.ts";
import { Sessions } from "../auth/sessions.ts";
import { signUpsOpen } from "../auth/sign_up.ts";
import { providers } from "../auth/upstream/providers.ts";
import type { Http, Route } from "../gate/route.ts";
import { readForm } from "./form.ts";
import { page, scripted } from "./handler.ts";
import { type Html, hidden } from "./layout.ts";
import { admitBeginning } from "./limit.ts";
import { safeNext } from "./next.ts";
import { passkeyForm } from "./passkey_form.ts";
import { seeOther, showPage } from "./respond.ts";
import type { Visit } from "./visit.ts";

const PURPOSE = "sign-in";

async function signInPage(c: Context<Http>, visit: Visit): Promise<Response> {
  const next = safeNext(c.req.query("next") ?? null);
  if (visit.signedIn) return seeOther(c, visit, next);
  const passkey = await passkeyForm(c, visit, {
    kind: "get",
    action: "/sign-in/passkey",
    options: "/sign-in/passkey/options",
    label: "Sign in with a passkey",
    fields: { next },
  });
  return showPage(c, visit, {
    title: "Sign in",
    passkeys: true,
    popup: true,
    body: html`<h1>Sign in</h1>
      ${passkey}
      ${await providerForms(c, visit, "Sign in with", { next })}
      <p class="quiet">${
        signUpsOpen(c.env)
          ? html`New here? <a href="/sign-up?next=${encodeURIComponent(next)}">Create a user</a>.`
          : "New users need an invitation: ask the operator of this installation for a link."
      }</p>`,
  });
}

/** A button for each configured provider. */
export async function providerForms(
  c: Context<Http>,
  visit: Visit,
  label: string,
  fields: Record<string, string | null>,
): Promise<Html> {
  const carried = await hidden(visit, fields);
  return html`${providers(c.env).map(
    ({ id, name }) => html`<form method="post" action="/sign-in/with/${id}" class="row">
      ${carried}<button class="secondary">${label} ${name}</button></form>`,
  )}`;
}

async function signInOptions(c: Context<Http>, visit: Visit): Promise<Response> {
  await readForm(c.req.raw, c.env, visit);
  await admitBeginning(c.req.raw, c.env);
  const options = await new PasskeyCeremonies(c.env).beginSignIn({ purpose: PURPOSE, browser: await visit.browser() });
  return c.json(options, 200, { "Cache-Control": "no-store" });
}

async function signInWithPasskey(c: Context<Http>, visit: Visit): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  const ceremony = { purpose: PURPOSE, browser: await visit.browser() };
  const user = await new PasskeyCeremonies(c.env).finishSignIn(ceremony, form.get("credential") ?? "");
  return signIn(c, visit, user.id, "passkey", safeNext(form.get("next")));
}

/** Ends whatever session the browser had, opens a new one, and goes on. */
export async function signIn(
  c: Context<Http>,
  visit: Visit,
  user: User["id"],
  how: string,
  next: string,
): Promise<Response> {
  const sessions = new Sessions(c.env);
  if (visit.signedIn) await sessions.end(c.req.raw);
  visit.cookies.length = 0;
  visit.cookies.push(await sessions.start(user, how));
  return seeOther(c, visit, next);
}

async function signOut(c: Context<Http>, visit: Visit): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  visit.cookies.length = 0;
  visit.cookies.push(await new Sessions(c.env).end(c.req.raw));
  // To sign in as somebody else, and then on to where this person was.
  const next = form.get("next");
  return seeOther(c, visit, next === null ? "/sign-in" : `/sign-in?next=${encodeURIComponent(safeNext(next))}`);
}

export const signInRoutes: Route[] = [
  { method: "GET", path: "/sign-in", guard: "open", handler: page(signInPage) },
  { method: "POST", path: "/sign-in/passkey/options", guard: "open", handler: scripted(signInOptions) },
  { method: "POST", path: "/sign-in/passkey", guard: "open", handler: page(signInWithPasskey) },
  { method: "POST", path: "/sign-out", guard: "open", handler: page(signOut) },
];
