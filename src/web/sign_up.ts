import type { Context } from "hono";
import { html } from "hono/html";
import { newUserId } from "../auth/keys.ts";
import { PasskeyCeremonies } from "../auth/passkey_ceremonies.ts";
import { Passkeys } from "../auth/passkeys.ts";
import { displayName, signUp, signUpsOpen } from "../auth/sign_up.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { Http, Route } from "../gate/route.ts";
import { readForm } from "./form.ts";
import { page, scripted } from "./handler.ts";
import { admitBeginning } from "./limit.ts";
import { safeNext } from "./next.ts";
import { passkeyForm } from "./passkey_form.ts";
import { seeOther, showPage } from "./respond.ts";
import { providerForms, signIn } from "./sign_in.ts";
import type { Visit } from "./visit.ts";

const PURPOSE = "sign-up";

async function signUpPage(c: Context<Http>, visit: Visit): Promise<Response> {
  checkOpen(c.env);
  const next = safeNext(c.req.query("next") ?? null);
  if (visit.signedIn) return seeOther(c, visit, next);
  const passkey = await passkeyForm(c, visit, {
    kind: "create",
    action: "/sign-up",
    options: "/sign-up/options",
    label: "Create a passkey",
    fields: { next },
    inputs: html`<label class="field">Your name
      <input type="text" name="name" required maxlength="100" autocomplete="name"></label>`,
  });
  return showPage(c, visit, {
    title: "Create a user",
    passkeys: true,
    popup: true,
    body: html`<h1>Create a user</h1>
      <p>You get an account of your own on the free plan, and sign in with a passkey: your device's fingerprint, face or
        PIN. There is no password.</p>
      ${passkey}
      ${await providerForms(c, visit, "Continue with", { next })}
      <p class="quiet">Here before? <a href="/sign-in?next=${encodeURIComponent(next)}">Sign in</a>.</p>`,
  });
}

async function signUpOptions(c: Context<Http>, visit: Visit): Promise<Response> {
  checkOpen(c.env);
  const form = await readForm(c.req.raw, c.env, visit);
  await admitBeginning(c.req.raw, c.env);
  // The passkey names its user, who is only made once the passkey is there.
  const owner = { id: newUserId(), name: displayName(form.get("name") ?? "") };
  const ceremony = { purpose: PURPOSE, browser: await visit.browser() };
  const options = await new PasskeyCeremonies(c.env).beginRegistration(ceremony, owner);
  return c.json(options, 200, { "Cache-Control": "no-store" });
}

async function finishSignUp(c: Context<Http>, visit: Visit): Promise<Response> {
  checkOpen(c.env);
  const form = await readForm(c.req.raw, c.env, visit);
  const ceremony = { purpose: PURPOSE, browser: await visit.browser() };
  const ceremonies = new PasskeyCeremonies(c.env);
  const { passkey, owner } = await ceremonies.finishRegistration(ceremony, form.get("credential") ?? "");
  const attach = (user: string) => new Passkeys(c.env).add(user, passkey, "Passkey");
  const { user } = await signUp(c.env, { name: owner.name, user: owner.id, attach });
  return signIn(c, visit, user, "passkey", safeNext(form.get("next")));
}

function checkOpen(env: Env): void {
  if (!signUpsOpen(env)) throw new WaypostError("sign_ups_closed", "New users are invited here.");
}

export const signUpRoutes: Route[] = [
  { method: "GET", path: "/sign-up", guard: "open", handler: page(signUpPage) },
  { method: "POST", path: "/sign-up/options", guard: "open", handler: scripted(signUpOptions) },
  { method: "POST", path: "/sign-up", guard: "open", handler: page(finishSignUp) },
];
