import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { visible } from "../visible.ts";
import { Accounts } from "./accounts.ts";
import { Directory, type ExternalIdentity } from "./directory.ts";

const PLAN = "free";
const MAX_NAME = 100;
const MAX_EMAIL = 254;

export interface SignUp {
  /** What to call the person; what is not visible or beyond 100 characters is cut off. */
  name: string;
  /** Shown, never used to recognise anybody. */
  email?: string | null;
  /** Id of the new user; absent: a random one. */
  user?: string;
  /** What they will sign in with. */
  identity?: ExternalIdentity;
  /** Stores what they will sign in with, when that is no identity. What it throws undoes the sign-up. */
  attach?: (user: string) => Promise<void>;
}

/** @throws WaypostError `not_configured` when SIGN_UPS is a word that it does not have */
export function checkSignUps({ SIGN_UPS }: Pick<Env, "SIGN_UPS">): void {
  if (SIGN_UPS && SIGN_UPS !== "open" && SIGN_UPS !== "closed") {
    throw new WaypostError("not_configured", 'SIGN_UPS must be "closed" or "open".');
  }
}

/** Whether anybody may become a user by signing in. */
export const signUpsOpen = (env: Pick<Env, "SIGN_UPS">): boolean => env.SIGN_UPS === "open";

/**
 * Makes a new user with an account of their own on the free plan.
 * @throws WaypostError `sign_ups_closed`; `invalid_input` for a name that is none; `conflict` when the identity has a user
 */
export async function signUp(env: Env, spec: SignUp): Promise<{ user: string; account: string }> {
  if (!signUpsOpen(env)) throw new WaypostError("sign_ups_closed", "New users are invited here.");
  const name = displayName(spec.name);
  const email = spec.email && spec.email.length <= MAX_EMAIL ? spec.email : null;
  const directory = new Directory(env);
  if (spec.identity && (await directory.userOf(spec.identity))) {
    throw new WaypostError("conflict", "This identity belongs to another user.");
  }
  const { user, account } = await new Accounts(env).create({ name, plan: PLAN, email, user: spec.user });
  try {
    if (spec.identity) await directory.link(user, spec.identity);
    await spec.attach?.(user);
  } catch (error) {
    // Somebody nobody can sign in as must not stay: two sign-ups at once with one identity make one user.
    await forget(env, user, account);
    throw error;
  }
  return { user, account };
}

/** A name as it is kept: visible, in one line, not too long. @throws WaypostError `invalid_input` when nothing is left of it */
export function displayName(text: string): string {
  const name = Array.from(visible(text.normalize("NFC")))
    .slice(0, MAX_NAME)
    .join("")
    .trim();
  if (name === "") throw new WaypostError("invalid_input", "A name is needed.");
  return name;
}

async function forget(env: Env, user: string, account: string): Promise<void> {
  await env.DB.batch([
    env.DB.prepare("DELETE FROM identities WHERE user = ?").bind(user),
    env.DB.prepare("DELETE FROM passkeys WHERE user = ?").bind(user),
    env.DB.prepare("DELETE FROM members WHERE user = ?").bind(user),
    env.DB.prepare("DELETE FROM users WHERE id = ?").bind(user),
    env.DB.prepare("DELETE FROM accounts WHERE id = ?").bind(account),
  ]);
}
