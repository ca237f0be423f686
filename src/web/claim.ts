import type { Context } from "hono";
import { html } from "hono/html";
import { Directory, type User } from "../auth/directory.ts";
import { Invitations } from "../auth/invitations.ts";
import { hashKey } from "../auth/keys.ts";
import { PasskeyCeremonies } from "../auth/passkey_ceremonies.ts";
import { Passkeys } from "../auth/passkeys.ts";
import { WaypostError } from "../errors.ts";
import type { Http, Route } from "../gate/route.ts";
import { readForm } from "./form.ts";
import { page, scripted } from "./handler.ts";
import { admitBeginning } from "./limit.ts";
import { passkeyForm } from "./passkey_form.ts";
import { showPage } from "./respond.ts";
import { providerForms, signIn } from "./sign_in.ts";
import type { Visit } from "./visit.ts";

async function claimPage(c: Context<Http>, visit: Visit): Promise<Response> {
  const secret = secretOf(c);
  const user = await invited(c, secret);
  const [account] = await new Directory(c.env).membershipsOf(user.id);
  const passkey = await passkeyForm(c, visit, {
    kind: "create",
    action: `/claim/${secret}`,
    options: `/claim/${secret}/options`,
    label: "Create a passkey",
  });
  return showPage(c, visit, {
    title: "Your invitation",
    passkeys: true,
    body: html`<h1>This is for <bdi>${user.name}</bdi></h1>
      <p>With this link you become <strong><bdi>${user.name}</bdi></strong>${
        account
          ? html`, ${account.role} of the account <strong><bdi>${account.name}</bdi></strong> on the plan ${account.plan}`
          : null
      }. Choose how you will sign in from now on; then the link has done its work.</p>
      ${
        visit.signedIn && visit.signedIn.user.id !== user.id
          ? html`<p class="warning">You are signed in as <bdi>${visit.signedIn.user.name}</bdi>. Going on signs you out there.</p>`
          : null
      }
      ${passkey}
      ${await providerForms(c, visit, "Sign in with", { invitation: secret })}
      <p class="quiet">A passkey is kept by your device and unlocked with its fingerprint, face or PIN. There is no password.</p>`,
  });
}

async function claimOptions(c: Context<Http>, visit: Visit): Promise<Response> {
  await readForm(c.req.raw, c.env, visit);
  await admitBeginning(c.req.raw, c.env);
  const secret = secretOf(c);
  const user = await invited(c, secret);
  const options = await new PasskeyCeremonies(c.env).beginRegistration(await ceremonyOf(secret, visit), user);
  return c.json(options, 200, { "Cache-Control": "no-store" });
}

async function finishClaim(c: Context<Http>, visit: Visit): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  const secret = secretOf(c);
  await invited(c, secret);
  const ceremony = await ceremonyOf(secret, visit);
  const { passkey } = await new PasskeyCeremonies(c.env).finishRegistration(ceremony, form.get("credential") ?? "");
  const user = await new Passkeys(c.env).addInvited(secret, passkey, "Passkey");
  if (!user) throw spent();
  return signIn(c, visit, user.id, "passkey", "/account");
}

const secretOf = (c: Context<Http>): string => c.req.param("secret") ?? "";

/** @throws WaypostError `link_invalid`, the same for a wrong, used or expired link */
async function invited(c: Context<Http>, secret: string): Promise<User> {
  const user = await new Invitations(c.env).look(secret);
  if (!user) throw spent();
  return user;
}

const ceremonyOf = async (secret: string, visit: Visit) => ({
  purpose: `claim ${await hashKey(secret)}`,
  browser: await visit.browser(),
});

const spent = () => new WaypostError("link_invalid", "It was used, has expired, or was not copied whole.");

export const claimRoutes: Route[] = [
  { method: "GET", path: "/claim/:secret", guard: "open", handler: page(claimPage) },
  { method: "POST", path: "/claim/:secret/options", guard: "open", handler: scripted(claimOptions) },
  { method: "POST", path: "/claim/:secret", guard: "open", handler: page(finishClaim) },
];
