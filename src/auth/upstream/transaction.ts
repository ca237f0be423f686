import type { AuthorizationServer } from "oauth4webapi";
import type { Env } from "../../env.ts";
import { hashKey, randomText } from "../keys.ts";
import { cookieOf } from "../sessions.ts";

/** The cookie that ties the sign-ins under way to the browser that began them. */
export const BROWSER_COOKIE = "__Host-waypost-browser";
const SECRET_LENGTH = 40;
const SECRET = /^[0-9a-z]{40}$/;
const LIFETIME_MS = 10 * 60_000;
const ENTRY = "upstream";

/** What a sign-in at a provider is for, once the provider has said who came back. */
export interface Purpose {
  /** Path to go to afterwards. */
  next: string;
  /** Secret of the invitation by which the person takes possession of a user. */
  invitation: string | null;
  /** The signed-in user who adds this way to sign in. */
  linkTo: string | null;
}

/** A sign-in under way at a provider. */
export interface Transaction extends Purpose {
  provider: string;
  /** RFC 7636 code verifier. */
  verifier: string;
  /** OpenID Connect only. */
  nonce: string | null;
  /** The server the browser was sent to: the answer is checked against this one and no other. */
  server: AuthorizationServer;
}

/**
 * Keeps a transaction for 10 minutes, sealed with a key that only this browser's cookie and the state together give: the
 * stored row alone says nothing.
 * @returns the state to send along, and the `Set-Cookie` value that the answer must carry
 */
export async function keep(
  env: Env,
  request: Request,
  state: string,
  transaction: Transaction,
): Promise<{ cookie: string }> {
  // One cookie for all tabs, so that a sign-in begun in one does not undo another's.
  const browser = browserSecret(request) ?? randomText(SECRET_LENGTH);
  const sealed = await seal(await keyOf(browser, state), JSON.stringify(transaction));
  await (await store(env, state)).write(ENTRY, sealed, { expiresAt: Date.now() + LIFETIME_MS });
  const cookie = `${BROWSER_COOKIE}=${browser}; Path=/; Max-Age=${LIFETIME_MS / 1_000}; Secure; HttpOnly; SameSite=Lax`;
  return { cookie };
}

/** Takes a transaction, once. Null when there is none of this state, or another browser began it. */
export async function take(env: Env, request: Request, state: string): Promise<Transaction | null> {
  const browser = browserSecret(request);
  if (!browser || !SECRET.test(state)) return null;
  const sealed = await (await store(env, state)).take(ENTRY);
  if (sealed === null) return null;
  const opened = await open(await keyOf(browser, state), sealed);
  return opened === null ? null : (JSON.parse(opened) as Transaction);
}

export const newState = (): string => randomText(SECRET_LENGTH);

function browserSecret(request: Request): string | null {
  const value = cookieOf(request, BROWSER_COOKIE);
  return value !== null && SECRET.test(value) ? value : null;
}

async function store(env: Env, state: string) {
  return env.AUTH.get(env.AUTH.idFromName(`transaction:${await hashKey(`upstream ${state}`)}`));
}

const encode = (text: string) => new TextEncoder().encode(text);

/** AES-GCM key by HKDF (RFC 5869): secret of the browser, salted with the state. */
async function keyOf(browser: string, state: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", encode(browser), "HKDF", false, ["deriveKey"]);
  const derivation = { name: "HKDF", hash: "SHA-256", salt: encode(state), info: encode("waypost upstream sign-in") };
  return crypto.subtle.deriveKey(derivation, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}

async function seal(key: CryptoKey, text: string): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(12));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, key, encode(text));
  return Buffer.concat([iv, new Uint8Array(sealed)]).toString("base64url");
}

async function open(key: CryptoKey, sealed: string): Promise<string | null> {
  const bytes = new Uint8Array(Buffer.from(sealed, "base64url"));
  const algorithm = { name: "AES-GCM", iv: bytes.subarray(0, 12) };
  const text = await crypto.subtle.decrypt(algorithm, key, bytes.subarray(12)).catch(() => null);
  return text === null ? null : new TextDecoder().decode(text);
}
