import { crc32 } from "./crc32.ts";

/**
 * API keys: `wp_<account>_<secret>_<crc>`. The account in the key names the ledger that verifies it; the checksum lets a
 * secret scanner (and this server, without a look-up) tell a key from noise and a truncated key from a whole one.
 */

const ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz";
const ACCOUNT_LENGTH = 16;
const SECRET_LENGTH = 40; // 206 bits
const CRC_LENGTH = 7; // 32 bits in base 36
const PATTERN = new RegExp(`^wp_([0-9a-z]{${ACCOUNT_LENGTH}})_([0-9a-z]{${SECRET_LENGTH}})_([0-9a-z]{${CRC_LENGTH}})$`);

export interface NewKey {
  /** The whole key: shown once, never stored. */
  key: string;
  /** Public name of the key, `key_…`. */
  id: string;
  hash: string;
}

/** Makes a key for an account. */
export async function mintKey(account: string): Promise<NewKey> {
  const body = `wp_${account}_${randomText(SECRET_LENGTH)}`;
  const key = `${body}_${checksum(body)}`;
  return { key, id: `key_${randomText(16)}`, hash: await hashKey(key) };
}

export const newAccountId = (): string => randomText(ACCOUNT_LENGTH);
export const newUserId = (): string => `usr_${randomText(16)}`;

/** The account a key belongs to, or null when the text is not a whole, undamaged key. Proves nothing about validity. */
export function accountOfKey(key: string): string | null {
  const match = PATTERN.exec(key);
  if (!match?.[1] || !match[3]) return null;
  const body = key.slice(0, -(CRC_LENGTH + 1));
  return checksum(body) === match[3] ? match[1] : null;
}

/** Lowercase hex SHA-256 of a key: what is stored and compared. */
export async function hashKey(key: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Uniform random text over 0-9a-z; bytes that would bias the choice are thrown away. */
export function randomText(length: number): string {
  const limit = 256 - (256 % ALPHABET.length);
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < limit && text.length < length) text += ALPHABET[byte % ALPHABET.length];
    }
  }
  return text;
}

/** CRC-32 in fixed-width base 36. */
function checksum(text: string): string {
  return crc32(text).toString(36).padStart(CRC_LENGTH, "0");
}
