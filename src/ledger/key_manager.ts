import { type ErrorExtras, fail, ok, type Result } from "../errors.ts";
import type { Authority } from "./authority.ts";
import type { Budgets } from "./budgets.ts";
import type { Journal } from "./journal.ts";
import { leastOf, whatExceeds } from "./key_rules.ts";
import type { Keyring } from "./keyring.ts";
import type { StoredKey } from "./stored_key.ts";
import type { KeyAuthor, KeyChanges, KeyInfo, KeySpec } from "./types.ts";

/** A secret that replaces a key's present one. */
export interface NewSecret {
  hash: string;
  /** How long the present one works beside it, in ms. */
  overlapMs: number;
}

/**
 * Makes and changes the account's keys. An author gives away no more than they have: not in scopes, and one that is bounded
 * reaches only itself and its offspring, which it binds.
 */
export class KeyManager {
  readonly #ring: Keyring;
  readonly #budgets: Budgets;
  readonly #authority: Authority;
  readonly #journal: Journal;

  constructor(ring: Keyring, budgets: Budgets, authority: Authority, journal: Journal) {
    this.#ring = ring;
    this.#budgets = budgets;
    this.#authority = authority;
    this.#journal = journal;
  }

  create(spec: KeySpec, now: number, by?: KeyAuthor): Result<KeyInfo> {
    const { budget = null, ...rest } = spec;
    const author = by && this.#ring.get(by.keyId);
    const lacking = by && missingScope(by, spec.scopes);
    if (lacking) return lacking;
    const wanted = { limits: spec.limits, budget, expiresAt: spec.expiresAt };
    const excess = author && whatExceeds(author, wanted);
    if (excess) return exceeds(excess);
    const key: StoredKey = {
      ...rest,
      ...(author ? leastOf(author, wanted) : wanted),
      createdAt: now,
      createdBy: by?.keyId ?? null,
      revokedAt: null,
      lastUsedAt: null,
      previous: null,
    };
    this.#ring.put(key);
    this.#budgets.trackKey(key, now);
    return ok(this.#describe(key));
  }

  /** Renames a key, or changes what bounds it. */
  update(id: string, changes: KeyChanges, now: number, by?: KeyAuthor): Result<KeyInfo> {
    const key = this.#ring.get(id);
    if (!key) return absent(id);
    const { name, limits, budget, previousUntil } = changes;
    if (by && !this.#authority.reaches(id, by)) return beyond("changes");
    if (by && id === by.keyId && (limits !== undefined || budget !== undefined) && this.#authority.isBounded(id)) {
      return exceeds("A key that is limited changes the limits of keys it made, and not its own.");
    }
    if (name !== undefined) key.name = name;
    if (limits !== undefined) key.limits = limits;
    if (previousUntil !== undefined && key.previous) {
      key.previous.expiresAt = Math.min(key.previous.expiresAt, Math.max(now, previousUntil));
    }
    if (budget !== undefined) {
      key.budget = budget;
      this.#journal.write();
      this.#budgets.trackKey(key, now);
    }
    this.#ring.put(key);
    return ok(this.#describe(key));
  }

  /** Gives a key a new secret; the present one works on for the overlap, and one that was rotated away before ends now. */
  rotate(id: string, secret: NewSecret, now: number, by?: KeyAuthor): Result<KeyInfo> {
    const key = this.#ring.get(id);
    if (!key) return absent(id);
    const barred = by && this.#barredFrom(key, by);
    if (barred) return barred;
    if (key.revokedAt !== null) return fail("conflict", "The key was revoked: make a new one.");
    if (key.expiresAt !== null && key.expiresAt <= now) return fail("conflict", "The key has expired: make a new one.");
    const forgotten = key.previous?.hash;
    key.previous = { hash: key.hash, expiresAt: now + secret.overlapMs, lastUsedAt: null };
    key.hash = secret.hash;
    this.#ring.put(key, forgotten);
    return ok(this.#describe(key));
  }

  /** Revoking twice keeps the first time. */
  revoke(id: string, now: number, by?: KeyAuthor): Result<KeyInfo> {
    const key = this.#ring.get(id);
    if (!key) return absent(id);
    if (by && !this.#authority.reaches(id, by)) return beyond("revokes");
    if (key.revokedAt === null) {
      key.revokedAt = now;
      this.#ring.put(key);
    }
    return ok(this.#describe(key));
  }

  /** Revokes every key of a user; returns how many still worked. */
  revokeOf(user: string, now: number): number {
    const working = [...this.#ring.all()].filter((key) => key.user === user && key.revokedAt === null);
    for (const key of working) this.revoke(key.id, now);
    return working.length;
  }

  list(): KeyInfo[] {
    return [...this.#ring.all()].sort((a, b) => a.createdAt - b.createdAt).map((key) => this.#describe(key));
  }

  /** Whoever gets a key's new secret can do what the key can, and as its user: that must not be more than they could. */
  #barredFrom(key: StoredKey, by: KeyAuthor): Result<never> | undefined {
    if (key.user !== by.user) return exceeds("The key is another user's.");
    const lacking = missingScope(by, key.scopes);
    if (lacking) return lacking;
    return this.#authority.reaches(key.id, by) ? undefined : beyond("rotates");
  }

  #describe(key: StoredKey): KeyInfo {
    return {
      id: key.id,
      name: key.name,
      user: key.user,
      scopes: key.scopes,
      created_at: iso(key.createdAt),
      created_by: key.createdBy,
      expires_at: isoOrNull(key.expiresAt),
      revoked_at: isoOrNull(key.revokedAt),
      last_used_at: isoOrNull(key.lastUsedAt),
      limits: key.limits,
      budget: key.budget && this.#budgets.ofKey(key, key.budget),
      previous: key.previous && {
        expires_at: iso(key.previous.expiresAt),
        last_used_at: isoOrNull(key.previous.lastUsedAt),
      },
    };
  }
}

function missingScope(by: KeyAuthor, scopes: readonly string[]): Result<never> | undefined {
  const missing = scopes.find((scope) => !by.scopes.includes(scope));
  if (missing === undefined) return undefined;
  return fail("insufficient_scope", `Your own credential lacks the scope \`${missing}\`.`, { required_scope: missing });
}

/** For a bounded author who reaches for a key that is not below theirs. */
const beyond = (does: string): Result<never> =>
  exceeds(`A key that is limited ${does} itself and keys it made, and no others.`);
const exceeds = (detail: string, extras?: ErrorExtras): Result<never> => fail("exceeds_own_key", detail, extras);
const absent = (id: string): Result<never> => fail("not_found", `There is no key "${id}" in this account.`);
const iso = (ms: number): string => new Date(ms).toISOString();
const isoOrNull = (ms: number | null): string | null => (ms === null ? null : iso(ms));
