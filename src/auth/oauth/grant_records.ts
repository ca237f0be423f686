import type { Scope } from "../scopes.ts";
import type { Entries } from "../store/entries.ts";

/** What the consent page knew and a list of connected apps shows. Kept with the grant. */
export interface GrantMetadata {
  account: string;
  client_name: string;
  /** Verified domain of a client with a metadata document. */
  client_domain: string | null;
}

/** The library's record of a grant, as far as it is used here. Times are seconds since the epoch. */
export interface GrantRecord {
  id: string;
  clientId: string;
  userId: string;
  scope: string[];
  metadata: GrantMetadata;
  createdAt: number;
  expiresAt?: number;
  resource?: string;
  /** There until the authorization code is redeemed. */
  authCodeWrappedKey?: string;
  /** Hash of the refresh token that counts. */
  refreshTokenId?: string;
}

interface TokenRecord {
  scope: string[];
  grant: { scope: string[] };
}

/** A grant without its secrets. Times are milliseconds since the epoch. */
export interface GrantSummary extends GrantMetadata {
  id: string;
  client_id: string;
  resource: string;
  scopes: string[];
  createdAt: number;
  lastUsedAt: number | null;
  expiresAt: number | null;
}

/** A refresh token lives this long unused, and so does what is remembered about it. Seconds. */
export const REFRESH_IDLE_SECONDS = 30 * 24 * 3_600;

/** Grants and their tokens in the user's object: what the library has no call for, or not an atomic one. */
export class GrantRecords {
  readonly #entries: Entries;

  constructor(entries: Entries) {
    this.#entries = entries;
  }

  get(user: string, grant: string): GrantRecord | null {
    const stored = this.#entries.get(`grant:${user}:${grant}`);
    return stored === null ? null : (JSON.parse(stored) as GrantRecord);
  }

  ids(user: string): string[] {
    return this.#records(user).map(({ id }) => id);
  }

  /** Those whose code was redeemed, the newest first. */
  list(user: string): GrantSummary[] {
    return this.#records(user)
      .filter(({ authCodeWrappedKey }) => authCodeWrappedKey === undefined)
      .sort((a, b) => b.createdAt - a.createdAt || a.id.localeCompare(b.id))
      .map((record) => this.#summary(record));
  }

  /** A client's grants beyond the `keep` that were used last. */
  longestUnused(user: string, client: string, keep: number): string[] {
    return this.#records(user)
      .filter(({ clientId }) => clientId === client)
      .map(({ id, createdAt }) => ({ id, at: Math.max(this.lastUsed(id) ?? 0, createdAt * 1_000) }))
      .sort((a, b) => b.at - a.at)
      .slice(keep)
      .map(({ id }) => id);
  }

  revoke(user: string, grant: string): boolean {
    this.#entries.deleteAll(`token:${user}:${grant}:`);
    this.#entries.deleteAll(`rotated:${grant}:`);
    this.#entries.deleteAll(`answer:${grant}:`);
    this.#entries.delete(`used:${grant}`);
    return this.#entries.delete(`grant:${user}:${grant}`);
  }

  extend(user: string, grant: string, scopes: readonly Scope[]): GrantSummary | null {
    const record = this.get(user, grant);
    if (!record || record.authCodeWrappedKey !== undefined) return null;
    const widened = { ...record, scope: union(record.scope, scopes) };
    this.#entries.change(`grant:${user}:${grant}`, JSON.stringify(widened));
    for (const { name, value } of this.#entries.all(`token:${user}:${grant}:`)) {
      const token = JSON.parse(value) as TokenRecord;
      const grown = {
        ...token,
        scope: union(token.scope, scopes),
        grant: { ...token.grant, scope: union(token.grant.scope, scopes) },
      };
      this.#entries.change(name, JSON.stringify(grown));
    }
    return this.#summary(widened);
  }

  lastUsed(grant: string): number | null {
    const stored = this.#entries.get(`used:${grant}`);
    return stored === null ? null : Number(stored);
  }

  /** Returns when the note expires: as late as a grant can that is never used again. */
  noteUse(grant: string, now: number): number {
    const expiresAt = now + REFRESH_IDLE_SECONDS * 1_000;
    this.#entries.put(`used:${grant}`, String(now), { expiresAt });
    return expiresAt;
  }

  #records(user: string): GrantRecord[] {
    return this.#entries.all(`grant:${user}:`).map(({ value }) => JSON.parse(value) as GrantRecord);
  }

  #summary(record: GrantRecord): GrantSummary {
    return {
      ...record.metadata,
      id: record.id,
      client_id: record.clientId,
      resource: record.resource ?? "",
      scopes: record.scope,
      createdAt: record.createdAt * 1_000,
      lastUsedAt: this.lastUsed(record.id),
      expiresAt: record.expiresAt === undefined ? null : record.expiresAt * 1_000,
    };
  }
}

const union = (some: readonly string[], more: readonly string[]): string[] => [...new Set([...some, ...more])];
