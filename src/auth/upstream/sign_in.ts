import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { Directory } from "../directory.ts";
import { Invitations } from "../invitations.ts";
import { signUp, signUpsOpen } from "../sign_up.ts";
import type { ProvenIdentity } from "./identity.ts";
import type { Purpose } from "./transaction.ts";

/** What came of a proven identity. */
export type SignInOutcome =
  /** Somebody who may sign in; `how` they became known: before, by invitation, by adding it to themselves, or just now. */
  | { kind: "user"; user: string; how: "known" | "invited" | "linked" | "signed_up" }
  /** Nobody here, and no way to become somebody. */
  | { kind: "nobody" }
  /** The identity is another user's than the one it was to be added to. */
  | { kind: "taken" }
  /** The invitation was used or has expired meanwhile. */
  | { kind: "invitation_spent" };

/**
 * The user a proven identity signs in as. An identity is only ever found by issuer and subject; it becomes a user's through
 * an invitation, through that user being signed in, or, where sign-ups are open, by making a new one.
 */
export async function userFor(env: Env, identity: ProvenIdentity, purpose: Purpose): Promise<SignInOutcome> {
  const directory = new Directory(env);
  const known = await directory.userOf(identity);
  if (purpose.linkTo !== null) return link(directory, identity, purpose.linkTo);
  if (purpose.invitation !== null) return invite(env, identity, purpose.invitation, known?.id ?? null);
  if (known) return { kind: "user", user: known.id, how: "known" };
  if (!signUpsOpen(env)) return { kind: "nobody" };
  return create(env, identity);
}

async function link(directory: Directory, identity: ProvenIdentity, user: string): Promise<SignInOutcome> {
  const taken = await conflicts(directory.link(user, identity));
  return taken === CONFLICT ? { kind: "taken" } : { kind: "user", user, how: "linked" };
}

async function invite(
  env: Env,
  identity: ProvenIdentity,
  secret: string,
  known: string | null,
): Promise<SignInOutcome> {
  const invited = await conflicts(new Invitations(env).useToLink(secret, identity));
  if (invited === CONFLICT) return { kind: "taken" };
  if (invited) return { kind: "user", user: invited.id, how: "invited" };
  // Somebody who took possession already follows the link again: they can sign in, the link gives them nothing.
  return known === null ? { kind: "invitation_spent" } : { kind: "user", user: known, how: "known" };
}

async function create(env: Env, identity: ProvenIdentity): Promise<SignInOutcome> {
  const { issuer, subject, label, email } = identity;
  const name = identity.name ?? label ?? "New user";
  const created = await conflicts(signUp(env, { name, email, identity: { issuer, subject, label } }));
  if (created !== CONFLICT) return { kind: "user", user: created.user, how: "signed_up" };
  // Two tabs at once with one identity: the other one made the user.
  const other = await new Directory(env).userOf(identity);
  return other ? { kind: "user", user: other.id, how: "known" } : { kind: "taken" };
}

const CONFLICT = Symbol("conflict");

async function conflicts<T>(work: Promise<T>): Promise<T | typeof CONFLICT> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof WaypostError && error.code === "conflict") return CONFLICT;
    throw error;
  }
}
