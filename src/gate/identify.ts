import { accountOfKey, hashKey } from "../auth/keys.ts";
import { WaypostError } from "../errors.ts";

/** What the caller presented: enough to find the ledger that can verify it. */
export interface Credential {
  account: string;
  keyHash: string;
}

/** Hashes of keys seen by this isolate: a hash takes longer than everything else done to identify a caller. */
const HASHES_KEPT = 1_000;
const hashes = new Map<string, string>();

/**
 * Reads the bearer API key of a request.
 * @throws WaypostError `unauthenticated` when there is none, or it is not whole
 */
export async function readCredential(headers: Headers): Promise<Credential> {
  const header = headers.get("authorization");
  if (!header) throw new WaypostError("unauthenticated", "The request carries no Authorization header.");
  const match = /^bearer +(\S+) *$/i.exec(header);
  if (!match?.[1])
    throw new WaypostError("unauthenticated", "The Authorization header is not of the form `Bearer <API key>`.");
  const account = accountOfKey(match[1]);
  if (!account) throw new WaypostError("unauthenticated", "The API key is damaged or incomplete.");
  return { account, keyHash: await hashOnce(match[1]) };
}

async function hashOnce(key: string): Promise<string> {
  const known = hashes.get(key);
  if (known) return known;
  const hash = await hashKey(key);
  if (hashes.size >= HASHES_KEPT) hashes.delete(hashes.keys().next().value as string);
  hashes.set(key, hash);
  return hash;
}
