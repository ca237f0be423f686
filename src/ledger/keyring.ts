import type { Journal } from "./journal.ts";
import type { Account } from "./rows.ts";
import type { Store } from "./store.ts";
import type { StoredKey } from "./stored_key.ts";
import type { Caller, Identity, Refusal, VerifiedCaller } from "./types.ts";

/** A key and those it was made with, nearest first. */
interface Line {
  keys: readonly StoredKey[];
  ids: readonly string[];
}

/** The account's API keys and blocked users, all in memory. A revocation or a block holds from the next look-up. */
export class Keyring {
  readonly #store: Store;
  /** By the hash of every secret that is remembered: a key that was rotated is here twice. */
  readonly #byHash = new Map<string, StoredKey>();
  readonly #byId = new Map<string, StoredKey>();
  /** What was found of a key's makers: who made a key never changes. */
  readonly #lines = new Map<string, Line>();
  readonly #blocked: Set<string>;

  constructor(store: Store) {
    this.#store = store;
    this.#blocked = new Set(store.blockedUsers());
    for (const key of store.keys()) this.#remember(key);
  }

  /** The caller's key if it is good now, else why not. Somebody verified before stands in with a key that is never stored. */
  check(caller: Caller, now: number): { key: StoredKey } | Refusal {
    if ("verified" in caller) {
      return this.#blocked.has(caller.verified.user) ? blockedUser : { key: standIn(caller.verified, now) };
    }
    const key = this.#byHash.get(caller.keyHash);
    if (!key) return unknownKey;
    if (this.#blocked.has(key.user)) return blockedUser;
    if (key.revokedAt !== null) return refused("key_revoked", "This API key was revoked.");
    if (key.expiresAt !== null && key.expiresAt <= now) return refused("key_expired", "This API key has expired.");
    if (key.hash !== caller.keyHash && (key.previous?.expiresAt ?? 0) <= now) {
      return refused("key_expired", "This API key was rotated, and its time beside the new one is over.");
    }
    return { key };
  }

  get(id: string): StoredKey | undefined {
    return this.#byId.get(id);
  }

  all(): IterableIterator<StoredKey> {
    return this.#byId.values();
  }

  /** The key and those it was made with, nearest first: their limits and budgets bind it too. */
  chainOf(key: StoredKey): readonly StoredKey[] {
    return key.createdBy === null ? [key] : this.#line(key).keys;
  }

  /** The same by id, of any credential; the last may be the grant or token with which the first of the keys was made. */
  lineOf(id: string): readonly string[] {
    const key = this.#byId.get(id);
    return key && key.createdBy !== null ? this.#line(key).ids : [id];
  }

  /** Writes a new or changed key. `forgotten`: hash of a secret that is remembered no longer. */
  put(key: StoredKey, forgotten?: string): void {
    this.#store.putKey(key);
    if (forgotten !== undefined) this.#byHash.delete(forgotten);
    this.#remember(key);
  }

  /** Notes a use of the key, to be written behind. */
  touch(key: StoredKey, caller: Caller, now: number, journal: Journal): void {
    if ("verified" in caller) return;
    key.lastUsedAt = now;
    if (key.previous?.hash === caller.keyHash) key.previous.lastUsedAt = now;
    journal.used(key);
  }

  block(user: string, now: number): void {
    this.#store.block(user, now);
    this.#blocked.add(user);
  }

  unblock(user: string): void {
    this.#store.unblock(user);
    this.#blocked.delete(user);
  }

  #line(key: StoredKey): Line {
    const known = this.#lines.get(key.id);
    if (known) return known;
    const keys = [key];
    const ids = [key.id];
    for (let maker = key.createdBy; maker !== null; maker = this.#byId.get(maker)?.createdBy ?? null) {
      ids.push(maker);
      const next = this.#byId.get(maker);
      if (next) keys.push(next);
    }
    const line = { keys, ids };
    this.#lines.set(key.id, line);
    return line;
  }

  #remember(key: StoredKey): void {
    this.#byId.set(key.id, key);
    this.#byHash.set(key.hash, key);
    if (key.previous) this.#byHash.set(key.previous.hash, key);
  }
}

function standIn({ id, user, scopes }: VerifiedCaller, now: number): StoredKey {
  return { ...nothing, id, hash: "", name: "", user, scopes, createdAt: now };
}

const nothing = {
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  limits: null,
  budget: null,
  createdBy: null,
  previous: null,
};

const refused = (code: Refusal["code"], detail: string): Refusal => ({ kind: "refused", code, detail });

/** The same for a key that never existed and an account that does not: nothing can be learned from it. */
export const unknownKey: Refusal = refused("unauthenticated", "This API key is not valid.");

const blockedUser: Refusal = refused("unauthenticated", "The user of this credential has no access here any more.");

export function identityOf(key: StoredKey, { account, plan }: Account): Identity {
  return { account, user: key.user, keyId: key.id, scopes: key.scopes, plan };
}
