import { bearerToken, type Credential, type Surface } from "../auth/bearer.ts";
import { accountOfKey, hashKey } from "../auth/keys.ts";
import { grantOf } from "../auth/oauth/tokens.ts";
import { withoutForeignAdmin } from "../auth/operator.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { lazily } from "../lazily.ts";
import { logRefusal } from "./log.ts";

const tokens = lazily(() => import("../auth/oauth/callers.ts"));
const jwts = lazily(() => import("../auth/jwt/callers.ts"));

/** Credentials by header, of API keys seen by this isolate: reading and hashing one takes longer than the rest of a call's checks. */
const KEYS_KEPT = 1_000;
const keys = new Map<string, Credential>();

/**
 * Reads the bearer credential of a request: an API key (its own ledger verifies it with the admission), an OAuth access
 * token for this surface (verified at once, so that a revocation holds from the next call), or on `/v1` an external JWT.
 * Cookies count for nothing here. An API key may come as `X-Api-Key` on `/v1`, where Anthropic's clients put it.
 * @throws WaypostError `unauthenticated` when there is none, or it is not good here; `unavailable` when its issuer cannot be asked
 */
export function readCredential(
  request: Request,
  env: Env,
  surface: Surface,
  requestId: string,
): Credential | Promise<Credential> {
  const header = request.headers.get("authorization") ?? apiKeyHeader(request, surface);
  const known = header === null ? undefined : keys.get(header);
  if (known && !request.url.includes("access_token=")) return known;
  return read(request, header, env, surface, requestId);
}

async function read(
  request: Request,
  header: string | null,
  env: Env,
  surface: Surface,
  requestId: string,
): Promise<Credential> {
  try {
    return await verify(bearerToken(request, header), header ?? "", env, surface);
  } catch (error) {
    if (error instanceof WaypostError) logRefusal(surface, requestId, error);
    throw error;
  }
}

function apiKeyHeader(request: Request, surface: Surface): string | null {
  const key = surface === "v1" ? request.headers.get("x-api-key") : null;
  return key?.startsWith("wp_") ? `Bearer ${key}` : null;
}

async function verify(token: string, header: string, env: Env, surface: Surface): Promise<Credential> {
  if (token.startsWith("wp_")) return keyCredential(token, header);
  if (grantOf(token)) {
    const { callerOfToken } = await tokens();
    return withoutForeignAdmin(env, await callerOfToken(env, token, surface));
  }
  if (token.split(".").length === 3 && surface === "v1") {
    const { callerOfJwt } = await jwts();
    return withoutForeignAdmin(env, await callerOfJwt(env, token));
  }
  throw new WaypostError("unauthenticated", "This is not a credential that is accepted here.");
}

async function keyCredential(key: string, header: string): Promise<Credential> {
  const account = accountOfKey(key);
  if (!account) throw new WaypostError("unauthenticated", "The API key is damaged or incomplete.");
  const credential = { account, caller: { keyHash: await hashKey(key) } };
  if (keys.size >= KEYS_KEPT) keys.delete(keys.keys().next().value as string);
  keys.set(header, credential);
  return credential;
}
