import type { Journal } from "./journal.ts";
import type { Account, Store, StoredKey } from "./store.ts";
import type { Caller, Identity, KeyInfo, KeySpec, Refusal, VerifiedCaller } from "./types.ts";

/** The account's API keys, all in memory, known by their hash. A revocation holds from the next look-up. */
export class Keyring {
  readonly #store: Store;
  readonly #byHash: Map<string, StoredKey>;

  constructor(store: Store) {
    this.#store = store;
    this.#byHash = new Map(store.keys().map((key) => [key.hash, key]));
  }

  /** The caller's key if it is good now, else why not. Somebody verified before stands in with a key that is never stored. */
  check(caller: Caller, now: number): { key: StoredKey } | Refusal {
    if ("verified" in caller) return { key: standIn(caller.verified, now) };
    const key = this.#byHash.get(caller.keyHash);
    if (!key) return unknownKey;
    if (key.revokedAt !== null) return refused("key_revoked", "This API key was revoked.");
    if (key.expiresAt !== null && key.expiresAt <= now) return refused("key_expired", "This API key has expired.");
    return { key };
  }

  add(spec: KeySpec, now: number): KeyInfo {
    const key: StoredKey = { ...spec, createdAt: now, revokedAt: null, lastUsedAt: null };
    this.#store.putKey(key);
    this.#byHash.set(key.hash, key);
    return describe(key);
  }

  /** Revokes a key; null when the account has no such key. Revoking twice keeps the first time. */
  revoke(id: string, now: number): KeyInfo | null {
    const key = [...this.#byHash.values()].find((candidate) => candidate.id === id);
    if (!key) return null;
    key.revokedAt ??= now;
    this.#store.putKey(key);
    return describe(key);
  }

  list(): KeyInfo[] {
    return [...this.#byHash.values()].sort((a, b) => a.createdAt - b.createdAt).map(describe);
  }

  /** Notes a use of the key, to be written behind. */
  touch(key: StoredKey, now: number, journal: Journal): void {
    if (!this.#byHash.has(key.hash)) return;
    key.lastUsedAt = now;
    journal.used(key);
  }
}

function standIn({ id, user, scopes }: VerifiedCaller, now: number): StoredKey {
  const never = { expiresAt: null, revokedAt: null, lastUsedAt: null, limits: null };
  return { id, hash: "", name: "", user, scopes, createdAt: now, ...never };
}

const refused = (code: Refusal["code"], detail: string): Refusal => ({ kind: "refused", code, detail });

/** The same for a key that never existed and an account that does not: nothing can be learned from it. */
export const unknownKey: Refusal = refused("unauthenticated", "This API key is not valid.");

export function identityOf(key: StoredKey, { account, plan }: Account): Identity {
  return { account, user: key.user, keyId: key.id, scopes: key.scopes, plan };
}

function describe(key: StoredKey): KeyInfo {
  return {
    id: key.id,
    name: key.name,
    user: key.user,
    scopes: key.scopes,
    created_at: iso(key.createdAt),
    expires_at: key.expiresAt === null ? null : iso(key.expiresAt),
    revoked_at: key.revokedAt === null ? null : iso(key.revokedAt),
    last_used_at: key.lastUsedAt === null ? null : iso(key.lastUsedAt),
    limits: key.limits,
  };
}

const iso = (ms: number): string => new Date(ms).toISOString();
