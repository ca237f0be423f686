import type { KeyBudget, RateLimits } from "./types.ts";

/** An API key as the ledger keeps it: in memory while awake, and as a row. Times in ms since the epoch. */
export interface StoredKey {
  id: string;
  hash: string;
  name: string;
  user: string;
  scopes: string[];
  createdAt: number;
  expiresAt: number | null;
  revokedAt: number | null;
  lastUsedAt: number | null;
  limits: Partial<RateLimits> | null;
  budget: KeyBudget | null;
  /** Id of the credential it was made with, whose limits and budgets bind it too; null: nobody's, or it is not known. */
  createdBy: string | null;
  /** The secret before the last rotation, as long as it is remembered. */
  previous: { hash: string; expiresAt: number; lastUsedAt: number | null } | null;
}

/** Columns of `keys`; lists and objects as JSON. `within`, of an earlier version, says less than `created_by`: it is not read. */
export interface KeyRow {
  id: string;
  hash: string;
  name: string;
  user: string;
  scopes: string;
  created_at: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  limits: string | null;
  budget: string | null;
  created_by: string | null;
  previous: string | null;
}

export const storedKey = (row: KeyRow): StoredKey => ({
  id: row.id,
  hash: row.hash,
  name: row.name,
  user: row.user,
  scopes: JSON.parse(row.scopes),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  lastUsedAt: row.last_used_at,
  limits: parsed(row.limits),
  budget: parsed(row.budget),
  createdBy: row.created_by,
  previous: parsed(row.previous),
});

export const rowOfKey = (key: StoredKey): KeyRow => ({
  id: key.id,
  hash: key.hash,
  name: key.name,
  user: key.user,
  scopes: JSON.stringify(key.scopes),
  created_at: key.createdAt,
  expires_at: key.expiresAt,
  revoked_at: key.revokedAt,
  last_used_at: key.lastUsedAt,
  limits: json(key.limits),
  budget: json(key.budget),
  created_by: key.createdBy,
  previous: json(key.previous),
});

const parsed = (text: string | null) => (text === null ? null : JSON.parse(text));
const json = (value: object | null): string | null => (value === null ? null : JSON.stringify(value));
