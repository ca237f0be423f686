import { env, SELF } from "cloudflare:test";
import { Invitations } from "../../src/auth/invitations.ts";
import { Sessions } from "../../src/auth/sessions.ts";
import type { Env } from "../../src/env.ts";
import { ORIGIN } from "../worker/client.ts";
import { HttpPerson } from "./http_person.ts";

export { formOf, type PageReply } from "./http_person.ts";

export const settings = env as unknown as Env;

/** A person at the Worker under test. */
export class Person extends HttpPerson {
  constructor() {
    super(ORIGIN, (url, init) => SELF.fetch(url, init));
  }
}

/** A person in possession of a user, signed in. */
export async function signedIn(user: string): Promise<Person> {
  const person = new Person();
  const cookie = await new Sessions(settings).start(user, "passkey");
  const [pair = ""] = cookie.split("; ");
  person.cookies.set(pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1));
  return person;
}

/** Path of a fresh claim link. */
export async function invitation(user: string, expiresInSeconds = 600): Promise<string> {
  const { url } = await new Invitations(settings).create(user, { expiresInSeconds });
  return new URL(url).pathname;
}
