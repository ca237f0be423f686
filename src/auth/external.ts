/**
 * Ids of the users and accounts that come from an issuer, derived from its own names for them: the same names lead to the
 * same account on every server, without a look-up. 16 characters of 0-9a-z (82 bits of SHA-256).
 */

/** What an account is for: one person, or everybody of a tenant (organization, company) of the issuer. */
export type AccountKind = "personal" | "tenant";

const LENGTH = 16;
const SPACE = 36n ** BigInt(LENGTH);
const IDS_KEPT = 2_000;
const ids = new Map<string, string>();

/** Account of a tenant, or of a person by themselves: a tenant and a person of the same name are different accounts. */
export const externalAccount = (issuer: string, kind: AccountKind, name: string): Promise<string> =>
  derive("account", issuer, kind, name);

/** `usr_…` of a person. */
export const externalUser = async (issuer: string, subject: string): Promise<string> =>
  `usr_${await derive("user", issuer, subject)}`;

/** `jwt_…`: what reports and idempotency know a person's tokens by, whichever of them was sent. */
export const externalCaller = async (issuer: string, subject: string): Promise<string> =>
  `jwt_${await derive("caller", issuer, subject)}`;

async function derive(...names: string[]): Promise<string> {
  // JSON keeps the parts apart: no choice of names can pass for another.
  const text = JSON.stringify(names);
  const known = ids.get(text);
  if (known) return known;
  const digest = new DataView(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const number = (digest.getBigUint64(0) << 64n) | digest.getBigUint64(8);
  const id = (number % SPACE).toString(36).padStart(LENGTH, "0");
  if (ids.size >= IDS_KEPT) ids.delete(ids.keys().next().value as string);
  ids.set(text, id);
  return id;
}
