import { env } from "cloudflare:test";
import { Accounts } from "../../src/auth/accounts.ts";
import { Directory, type ExternalIdentity } from "../../src/auth/directory.ts";
import { Invitations } from "../../src/auth/invitations.ts";
import type { Env } from "../../src/env.ts";
import { Browser, issuerOf } from "./upstream_browser.ts";

/** Users for the tests of sign-in with a provider, and what the directory holds. */

const settings = env as unknown as Env;

/** A new user with an account, who can sign in with the identities given. */
export async function person(...identities: Omit<ExternalIdentity, "label">[]): Promise<string> {
  const { user } = await new Accounts(settings).create({ name: "A person", plan: "free" });
  for (const identity of identities) await new Directory(settings).link(user, { ...identity, label: null });
  return user;
}

/** A browser in which a new user is signed in, by the issuer `rs256`. */
export async function signedIn(subject: string): Promise<{ browser: Browser; user: string }> {
  const user = await person({ issuer: issuerOf("rs256"), subject });
  const browser = new Browser();
  await browser.signIn("rs256", subject);
  if (browser.user !== user) throw new Error(`signed in as ${browser.user}`);
  return { browser, user };
}

/** The secret of a fresh invitation for a user. */
export async function invitation(user: string): Promise<string> {
  const { url } = await new Invitations(settings).create(user, { expiresInSeconds: 60 });
  return url.split("/").at(-1) ?? "";
}

export const identitiesOf = (user: string): Promise<ExternalIdentity[]> => new Directory(settings).identitiesOf(user);

/** How much there is that a sign-in could have made: it must not change when one is refused. */
export async function census(): Promise<unknown> {
  return settings.DB.prepare(
    `SELECT (SELECT count(*) FROM users) AS users, (SELECT count(*) FROM accounts) AS accounts,
     (SELECT count(*) FROM members) AS members,
     (SELECT group_concat(issuer || ' ' || subject || ' ' || user, ', ') FROM identities) AS identities,
     (SELECT count(*) FROM invitations WHERE used_at IS NOT NULL) AS used`,
  ).first();
}
