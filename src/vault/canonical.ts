import { sha256 } from "../sha256.ts";

/** JSON with sorted keys and without undefined members: equal values give equal strings, whatever order they arrived in. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (member === null || typeof member !== "object" || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
  });
}

/** Lowercase hex SHA-256 of a value's canonical JSON. Synchronous, so it can run inside a storage transaction. */
export function canonicalHash(value: unknown): string {
  return sha256(canonicalJson(value));
}
