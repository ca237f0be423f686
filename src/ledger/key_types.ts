import type { RateLimits } from "./types.ts";

/** The most a key's calls may be worth, whoever pays: in a calendar month (UTC), or ever. */
export interface KeyBudget {
  nano_usd: number;
  period: "month" | "total";
}

/** Whose credential makes or changes a key: it gives away no more than it has. Absent = the operator, for another account. */
export interface KeyAuthor {
  keyId: string;
  user: string;
  scopes: readonly string[];
}

export interface KeySpec {
  id: string;
  hash: string;
  name: string;
  user: string;
  scopes: string[];
  /** Milliseconds since the epoch; null = never. */
  expiresAt: number | null;
  limits: Partial<RateLimits> | null;
  budget?: KeyBudget | null;
}

/** What can be changed about a key; what is absent stays. */
export interface KeyChanges {
  name?: string;
  limits?: Partial<RateLimits> | null;
  budget?: KeyBudget | null;
  /** Milliseconds since the epoch until which the secret before the last rotation works. */
  previousUntil?: number;
}

export interface KeyInfo {
  id: string;
  name: string;
  user: string;
  scopes: string[];
  created_at: string;
  /** Id of the credential it was made with; null when that is not known. */
  created_by: string | null;
  expires_at: string | null;
  revoked_at: string | null;
  last_used_at: string | null;
  limits: Partial<RateLimits> | null;
  budget: (KeyBudget & { spent_nano: number; reserved_nano: number; resets_at: string | null }) | null;
  /** The key's secret before its last rotation: until when it works, and its last use since. */
  previous: { expires_at: string; last_used_at: string | null } | null;
}
