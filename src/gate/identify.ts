import { accountOfKey, hashKey } from "../auth/keys.ts";
import { WaypostError } from "../errors.ts";

/** What the caller presented: enough to find the ledger that can verify it. */
export interface Credential {
  account: string;
  keyHash: string;
}

/** Credentials by key, of keys seen by this isolate: reading and hashing one takes longer than the rest of a call's checks. */
const CREDENTIALS_KEPT = 1_000;
const credentials = new Map<string, Credential>();

/**
 * Reads the bearer API key of a request.
 * @throws WaypostError `unauthenticated` when there is none, or it is not whole
 */
export async function readCredential(headers: Headers): Promise<Credential> {
  const header = headers.get("authorization");
  if (!header) throw new WaypostError("unauthenticated", "The request carries no Authorization header.");
  return credentials.get(header) ?? (await parseCredential(header));
}

async function parseCredential(header: string): Promise<Credential> {
  const match = /^bearer +(\S+) *$/i.exec(header);
  if (!match?.[1])
    throw new WaypostError("unauthenticated", "The Authorization header is not of the form `Bearer <API key>`.");
  const account = accountOfKey(match[1]);
  if (!account) throw new WaypostError("unauthenticated", "The API key is damaged or incomplete.");
  const credential = { account, keyHash: await hashKey(match[1]) };
  if (credentials.size >= CREDENTIALS_KEPT) credentials.delete(credentials.keys().next().value as string);
  credentials.set(header, credential);
  return credential;
}
