import type { Context } from "hono";
import { Grants } from "../auth/oauth/grants.ts";
import { PasskeyCeremonies } from "../auth/passkey_ceremonies.ts";
import { Passkeys } from "../auth/passkeys.ts";
import { type PresentedSession, Sessions } from "../auth/sessions.ts";
import { providers } from "../auth/upstream/providers.ts";
import { WaypostError } from "../errors.ts";
import type { Http, Route } from "../gate/route.ts";
import { accountPage } from "./account_page.ts";
import { readForm } from "./form.ts";
import { scripted, signedInPage } from "./handler.ts";
import { admitBeginning } from "./limit.ts";
import { seeOther } from "./respond.ts";
import type { Visit } from "./visit.ts";

/** What the account page's forms do. Each acts on the signed-in user alone: no form names a user. */

async function passkeyOptions(c: Context<Http>, visit: Visit): Promise<Response> {
  await readForm(c.req.raw, c.env, visit);
  // The page that asks was shown to somebody who has signed out since.
  if (!visit.signedIn) throw new WaypostError("form_refused", "Nobody is signed in any more.");
  await admitBeginning(c.req.raw, c.env);
  const { user } = visit.signedIn;
  const options = await new PasskeyCeremonies(c.env).beginRegistration(await ceremonyOf(user.id, visit), user);
  return c.json(options, 200, { "Cache-Control": "no-store" });
}

async function addPasskey(c: Context<Http>, visit: Visit, { user }: PresentedSession): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  const ceremony = await ceremonyOf(user.id, visit);
  const { passkey } = await new PasskeyCeremonies(c.env).finishRegistration(ceremony, form.get("credential") ?? "");
  await new Passkeys(c.env).add(user.id, passkey, form.get("name") ?? "");
  return seeOther(c, visit, "/account");
}

async function removePasskey(c: Context<Http>, visit: Visit, { user }: PresentedSession): Promise<Response> {
  const form = await readForm(c.req.raw, c.env, visit);
  const otherWays = providers(c.env).map(({ issuer }) => issuer);
  await new Passkeys(c.env).remove(user.id, form.get("passkey") ?? "", otherWays);
  return seeOther(c, visit, "/account");
}

async function revokeApp(c: Context<Http>, visit: Visit, { user }: PresentedSession): Promise<Response> {
  await readForm(c.req.raw, c.env, visit);
  const revoked = await new Grants(c.env).revoke(user.id, c.req.param("grant") ?? "");
  if (!revoked) throw new WaypostError("not_found", "There is no such app among yours.");
  return seeOther(c, visit, "/account");
}

async function signOutEverywhere(c: Context<Http>, visit: Visit, { user }: PresentedSession): Promise<Response> {
  await readForm(c.req.raw, c.env, visit);
  const sessions = new Sessions(c.env);
  await new Grants(c.env).revokeAll(user.id);
  await sessions.endAll(user.id);
  visit.cookies.length = 0;
  visit.cookies.push(await sessions.end(c.req.raw));
  return seeOther(c, visit, "/sign-in");
}

const ceremonyOf = async (user: string, visit: Visit) => ({ purpose: `add ${user}`, browser: await visit.browser() });

const post = (path: string, handler: Parameters<typeof signedInPage>[0]): Route => ({
  method: "POST",
  path,
  guard: "session",
  handler: signedInPage(handler),
});

export const accountRoutes: Route[] = [
  { method: "GET", path: "/account", guard: "session", handler: signedInPage(accountPage) },
  { method: "POST", path: "/account/passkeys/options", guard: "session", handler: scripted(passkeyOptions) },
  post("/account/passkeys", addPasskey),
  post("/account/passkeys/remove", removePasskey),
  post("/account/apps/:grant/revoke", revokeApp),
  post("/account/sign-out-everywhere", signOutEverywhere),
];
