import type { Env } from "../env.ts";
import type { Credential } from "./bearer.ts";

/** The account that owns the installation, once it was seen: it never changes. */
let known: string | undefined;

/** Whether an account is the one that owns this installation, the only one whose credentials are given the scope `admin`. */
export async function isOperator(env: Pick<Env, "DB">, account: string): Promise<boolean> {
  if (account === known) return true;
  const row = await env.DB.prepare("SELECT id FROM accounts WHERE owner = 1").first<{ id: string }>();
  known = row?.id;
  return account === known;
}

/** A token's credential as it counts: `admin` is dropped outside the operator's account, whatever the token says. */
export async function withoutForeignAdmin(env: Pick<Env, "DB">, credential: Credential): Promise<Credential> {
  const { account, caller } = credential;
  if (!("verified" in caller) || !caller.verified.scopes.includes("admin") || (await isOperator(env, account))) {
    return credential;
  }
  const scopes = caller.verified.scopes.filter((scope) => scope !== "admin");
  return { account, caller: { verified: { ...caller.verified, scopes } } };
}
