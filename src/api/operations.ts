import type { Context } from "hono";
import { Accounts } from "../auth/accounts.ts";
import { Directory } from "../auth/directory.ts";
import { Invitations } from "../auth/invitations.ts";
import type { Env } from "../env.ts";
import { errorCatalogue, WaypostError } from "../errors.ts";
import { readJson } from "../gate/body.ts";
import type { Http } from "../gate/route.ts";
import { ledgerOf, vaultOf } from "../gate/stores.ts";
import { lazily } from "../lazily.ts";
import { VERSION } from "../version.ts";

/** Routes that are about the server itself: no account, no gate. */

/** Is it up. */
export const health = (c: Context<Http>) => c.json({ status: "ok", version: VERSION, environment: c.env.ENVIRONMENT });

const settingsCheck = lazily(() => import("./settings_check.ts"));

/** Can it work: each store is asked something real, and each setting is read. `settings` says what is wrong with them. */
export async function ready(c: Context<Http>): Promise<Response> {
  const { env } = c;
  const probes = {
    directory: () => env.DB.prepare("SELECT count(*) FROM accounts").first(),
    ledger: () => ledgerOf(env, "readiness").identify({ keyHash: "" }),
    vault: () => vaultOf(env, "readiness").ping(),
    identity: () => env.AUTH.get(env.AUTH.idFromName("readiness")).read(""),
    blobs: () => env.BLOBS.head("readiness"),
  };
  const stores = Object.fromEntries(
    await Promise.all(
      Object.entries(probes).map(async ([name, probe]) => [
        name,
        await probe().then(
          () => "ok",
          () => "unavailable",
        ),
      ]),
    ),
  );
  const settings = await (await settingsCheck()).wrongSettings(env);
  const answer = Object.values(stores).every((state) => state === "ok");
  const status = !answer ? "unavailable" : settings.length > 0 ? "not_configured" : "ok";
  return c.json({ status, stores, ...(settings.length > 0 ? { settings } : {}) }, status === "ok" ? 200 : 503);
}

/** How long the link of `{"claim": true}` works. */
const CLAIM_SECONDS = 7 * 86_400;

/**
 * Creates the owner account, once, for whoever holds SETUP_TOKEN. With `{"reissue": true}` gives the owner a fresh key; with
 * `{"claim": true}` a fresh one-time link by which a person takes the account in possession, unless somebody has.
 */
export async function setup(c: Context<Http>): Promise<Response> {
  const { SETUP_TOKEN } = c.env;
  if (!SETUP_TOKEN) throw new WaypostError("not_configured", "SETUP_TOKEN is not set.");
  const presented = /^Bearer (.+)$/.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  if (!(await sameText(presented, SETUP_TOKEN))) {
    throw new WaypostError("unauthenticated", "This is not the setup token.");
  }
  const body = Object(c.req.header("content-type") ? await readJson(c.req.raw, async () => {}) : {});
  const accounts = new Accounts(c.env);
  if (body.claim === true) return c.json(await claimLink(c.env, await ownerOf(accounts)), 201);
  const key =
    body.reissue === true ? await accounts.issueOwnerKey(await ownerOf(accounts)) : await accounts.createOwner();
  return c.json({ account: key.account, api_key: key.api_key, key_id: key.id }, 201);
}

async function ownerOf(accounts: Accounts) {
  const owner = await accounts.owner();
  if (!owner) throw new WaypostError("not_found", "There is no owner account yet.");
  return owner;
}

async function claimLink(env: Env, { user }: { user: string }) {
  if (await new Directory(env).canSignIn(user)) {
    throw new WaypostError("conflict", "The owner account has an owner, who can sign in.");
  }
  const { url, expires_at } = await new Invitations(env).create(user, { expiresInSeconds: CLAIM_SECONDS });
  return { claim_url: url, expires_at };
}

/** Every error there is, or one. */
export function errors(c: Context<Http>): Response {
  const code = c.req.param("code");
  if (code === undefined) return c.json(errorCatalogue);
  if (!Object.hasOwn(errorCatalogue, code)) throw new WaypostError("unknown_route", "There is no such error code.");
  return c.json({ code, ...errorCatalogue[code as keyof typeof errorCatalogue] });
}

/** Compares in time that does not depend on where the texts differ. */
async function sameText(a: string, b: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return crypto.subtle.timingSafeEqual(await digest(a), await digest(b));
}
