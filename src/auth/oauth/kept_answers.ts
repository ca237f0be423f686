/**
 * The answer to a refresh, kept for those who ask the same again. It is sealed with a key made from what was presented,
 * which is stored nowhere: the row alone reveals nothing, and opens for nobody who asks something else.
 */

/** What a repeated request must have in common with the first. */
export interface RefreshRequest {
  refreshToken: string;
  /** The authenticated client. */
  client: string;
  scope: string;
  resource: string;
}

interface Kept {
  /** Milliseconds since the epoch. */
  at: number;
  body: Record<string, unknown>;
}

const IV_BYTES = 12;

/** @param body the token response, JSON */
export async function seal(request: RefreshRequest, body: string, now = Date.now()): Promise<string> {
  const kept: Kept = { at: now, body: JSON.parse(body) };
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const text = new TextEncoder().encode(JSON.stringify(kept));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv }, await keyOf(request), text);
  return Buffer.concat([iv, new Uint8Array(sealed)]).toString("base64url");
}

/** The kept token response with the lifetime that is left of it; null when it was kept for another request. */
export async function open(request: RefreshRequest, sealed: string, now = Date.now()): Promise<string | null> {
  const bytes = Buffer.from(sealed, "base64url");
  const iv = bytes.subarray(0, IV_BYTES);
  let kept: Kept;
  try {
    const text = await crypto.subtle.decrypt({ name: "AES-GCM", iv }, await keyOf(request), bytes.subarray(IV_BYTES));
    kept = JSON.parse(new TextDecoder().decode(text));
  } catch {
    return null;
  }
  const elapsed = Math.ceil((now - kept.at) / 1_000);
  return JSON.stringify({ ...kept.body, expires_in: Math.max(Number(kept.body.expires_in) - elapsed, 0) });
}

async function keyOf({ refreshToken, client, scope, resource }: RefreshRequest): Promise<CryptoKey> {
  const material = new TextEncoder().encode(
    JSON.stringify(["waypost refresh answer", refreshToken, client, scope, resource]),
  );
  const digest = await crypto.subtle.digest("SHA-256", material);
  return crypto.subtle.importKey("raw", digest, "AES-GCM", false, ["encrypt", "decrypt"]);
}
