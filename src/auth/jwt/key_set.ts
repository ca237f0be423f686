import { type CryptoKey, importJWK, type JWK } from "jose";

/** Where an issuer publishes its keys, and the algorithms they may be used with. */
export interface KeySource {
  jwksUrl: string;
  algorithms: readonly string[];
}

/** One public key for one algorithm. */
export interface VerificationKey {
  kid: string | undefined;
  alg: string;
  key: CryptoKey;
}

export const FETCH_TIMEOUT_MS = 5_000;
const MAX_BYTES = 256 * 1024;
const MAX_KEYS = 100;

/**
 * Fetches an issuer's JWK Set (RFC 7517 5) and imports its public signature keys; what is not one is passed over.
 * Keys are imported here and not when they are first used: a promise must not be waited for by another request.
 * @throws Error, with nothing of the answer in it, when there is no answer, it is no key set, or no key in it is usable
 */
export async function fetchKeySet(source: KeySource): Promise<VerificationKey[]> {
  const response = await fetch(source.jwksUrl, {
    headers: { Accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const keys: VerificationKey[] = [];
  for (const jwk of keysIn(await readText(response))) keys.push(...(await usesOf(jwk, source.algorithms)));
  if (keys.length === 0) throw new Error("no usable key");
  return keys;
}

function keysIn(text: string): unknown[] {
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    throw new Error("not JSON");
  }
  if (typeof set !== "object" || set === null || !("keys" in set) || !Array.isArray(set.keys)) {
    throw new Error("not a key set");
  }
  return set.keys.slice(0, MAX_KEYS);
}

/** The key once for each algorithm it may be used with: the one it names, or all that suit its type. */
async function usesOf(candidate: unknown, algorithms: readonly string[]): Promise<VerificationKey[]> {
  if (typeof candidate !== "object" || candidate === null) return [];
  const jwk = candidate as JWK;
  const forSignatures = jwk.use === undefined || jwk.use === "sig";
  const forVerifying = jwk.key_ops === undefined || (Array.isArray(jwk.key_ops) && jwk.key_ops.includes("verify"));
  if (!forSignatures || !forVerifying || "d" in jwk) return [];
  const uses: VerificationKey[] = [];
  for (const alg of algorithms) {
    if (!(jwk.alg === undefined || jwk.alg === alg) || !suits(jwk, alg)) continue;
    try {
      const key = await importJWK(jwk, alg);
      if (!(key instanceof Uint8Array)) uses.push({ kid: jwk.kid, alg, key });
    } catch {
      // A key this platform cannot use is as good as none; the others count.
    }
  }
  return uses;
}

function suits({ kty, crv }: JWK, alg: string): boolean {
  switch (alg) {
    case "ES256":
      return kty === "EC" && crv === "P-256";
    case "ES384":
      return kty === "EC" && crv === "P-384";
    case "ES512":
      return kty === "EC" && crv === "P-521";
    case "EdDSA":
    case "Ed25519":
      return kty === "OKP" && crv === "Ed25519";
    default:
      return kty === "RSA";
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BYTES) throw new Error("too large");
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

/** Whether keys may be fetched from there: over TLS, or from this machine. */
export function isFetchable(text: string): boolean {
  const url = URL.parse(text);
  if (!url || url.username || url.password || url.hash) return false;
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  return url.protocol === "https:" || (url.protocol === "http:" && loopback);
}
