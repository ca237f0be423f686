/**
 * What the OAuth library's secrets look like: `<user>:<grant>:<secret>`, the same for authorization codes, access tokens
 * and refresh tokens. Only hashes of them are stored.
 */
const FORMAT = /^(usr_\w{1,64}):([\w-]{16}):[\w-]{32}$/;

/** A grant and the user it belongs to, whose object holds it. */
export interface GrantName {
  user: string;
  grant: string;
}

/** Where a code or token says it belongs; null when it is none. Proves nothing about validity. */
export function grantOf(token: string): GrantName | null {
  const match = FORMAT.exec(token);
  return match?.[1] && match[2] ? { user: match[1], grant: match[2] } : null;
}

/** Lowercase hex SHA-256: what codes and tokens are stored by. */
export async function hashOf(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
