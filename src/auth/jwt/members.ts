import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { Accounts } from "../accounts.ts";

/** Somebody whom an issuer vouches for, and the account they act in. */
export interface ExternalMember {
  account: string;
  user: string;
  /** What the account, and the person, are called when they are new here. */
  accountName: string;
  userName: string;
  email: string | null;
  /** Plan of the account when it is new. */
  plan: string;
  /** How the person signs in on pages, when the issuer is one for that too. */
  identity: { issuer: string; subject: string } | null;
}

const MEMBERS_KEPT = 10_000;
/** Members this isolate has seen in the directory: from then on their ledger alone decides. */
const seen = new Set<string>();

/**
 * Makes sure that somebody verified is in the directory, once an isolate. With `provision`, whoever is new gets an account,
 * or becomes a member of their tenant's.
 * @throws WaypostError `unauthenticated` when they were removed, or are new and may not be; `unavailable`
 */
export async function ensureMember(env: Env, member: ExternalMember, provision: boolean): Promise<void> {
  const name = `${member.account} ${member.user}`;
  if (seen.has(name)) return;
  await reached(async () => {
    const found = await lookUp(env, member);
    if (found.removed) throw refused("This user was removed.");
    if (!found.member) {
      if (!provision) throw refused("This user has no account here.");
      await enroll(env, member);
    }
  });
  if (seen.size >= MEMBERS_KEPT) seen.delete(seen.values().next().value as string);
  seen.add(name);
}

/**
 * Opens what is missing: account, user, membership, identity. Repeating it changes nothing.
 * @throws WaypostError `unauthenticated` when the user was removed meanwhile
 */
export async function enroll(env: Env, member: ExternalMember): Promise<void> {
  const { account, user, accountName, userName, email, plan, identity } = member;
  await new Accounts(env).create({ account, user, name: accountName, userName, email, plan });
  if (identity) {
    await env.DB.prepare(
      `INSERT INTO identities (issuer, subject, user, label, created_at)
       SELECT ?1, ?2, id, ?3, ?4 FROM users WHERE id = ?5 AND deleted_at IS NULL ON CONFLICT DO NOTHING`,
    )
      .bind(identity.issuer, identity.subject, email ?? userName, new Date().toISOString(), user)
      .run();
  }
  // A removal shuts the user out of the accounts it finds them in: one that came before this one's entry is seen here.
  if ((await lookUp(env, member)).removed) throw refused("This user was removed.");
}

async function lookUp(env: Env, { account, user }: ExternalMember): Promise<{ member: boolean; removed: boolean }> {
  const row = await env.DB.prepare(
    `SELECT EXISTS (SELECT 1 FROM members WHERE account = ?1 AND user = ?2) AS member,
            EXISTS (SELECT 1 FROM users WHERE id = ?2 AND deleted_at IS NOT NULL) AS removed`,
  )
    .bind(account, user)
    .first<{ member: number; removed: number }>();
  return { member: row?.member === 1, removed: row?.removed === 1 };
}

async function reached(operation: () => Promise<void>): Promise<void> {
  try {
    await operation();
  } catch (error) {
    if (error instanceof WaypostError) throw error;
    throw new WaypostError("unavailable", "The directory did not answer.", { retry_after: 2 });
  }
}

const refused = (detail: string): WaypostError => new WaypostError("unauthenticated", detail);
