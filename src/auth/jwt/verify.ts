import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose";
import { WaypostError } from "../../errors.ts";
import type { JwtIssuer } from "./issuer.ts";
import type { KeyCache } from "./key_cache.ts";

export interface VerifiedJwt {
  issuer: JwtIssuer;
  claims: JWTPayload;
}

/** Longer tokens are refused unread. */
export const MAX_TOKEN_LENGTH = 8_192;

/**
 * Verifies a JWT by the best current practice of RFC 8725: issuer first, then its fixed algorithms, its own keys and no
 * key that the token brings along, its audience and times.
 * @throws WaypostError `unauthenticated`, saying what is wrong in kind; `unavailable` when the issuer's keys cannot be had
 */
export async function verifyJwt(
  issuers: ReadonlyMap<string, JwtIssuer>,
  keys: KeyCache,
  token: string,
): Promise<VerifiedJwt> {
  if (token.length > MAX_TOKEN_LENGTH) throw refused(`The token is longer than ${MAX_TOKEN_LENGTH} characters.`);
  const { header, iss } = read(token);
  const issuer = typeof iss === "string" ? issuers.get(iss) : undefined;
  if (!issuer) throw refused("The token's issuer is not one that is accepted here.");
  const { alg, kid, typ } = header;
  if (typeof alg !== "string" || !issuer.algorithms.includes(alg)) {
    throw refused("The token's algorithm is not one that is accepted from its issuer.");
  }
  if (header.crit !== undefined) throw refused("The token has critical extensions (`crit`), which are not accepted.");
  if (typ !== undefined && !(typeof typ === "string" && issuer.types.includes(typ.toLowerCase()))) {
    throw refused("The token is of a type (`typ`) that is not accepted.");
  }
  if (kid !== undefined && typeof kid !== "string") throw refused("The token's key id is not text.");
  const key = await keys.find(issuer, { alg, kid });
  const claims = await verified(token, key, issuer);
  check(claims, issuer);
  return { issuer, claims };
}

function read(token: string) {
  try {
    return { header: decodeProtectedHeader(token), iss: decodeJwt(token).iss as unknown };
  } catch {
    throw refused("The token is damaged or not a JWT.");
  }
}

async function verified(token: string, key: Parameters<typeof jwtVerify>[1], issuer: JwtIssuer): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: [...issuer.algorithms],
      issuer: issuer.issuer,
      requiredClaims: ["exp"],
      clockTolerance: issuer.clockToleranceS,
      ...(issuer.audience ? { audience: [...issuer.audience] } : {}),
    });
    return payload;
  } catch (error) {
    throw refused(reasonOf(error));
  }
}

/** What a bearer must not have been given, and what the issuer's own rules say. */
function check(claims: JWTPayload, issuer: JwtIssuer): void {
  if (claims.iat !== undefined && claims.iat > Date.now() / 1_000 + issuer.clockToleranceS) {
    throw refused("The token was issued in the future.");
  }
  // RFC 7800, RFC 9449 7.2: such a token is only good together with a proof, which a bearer does not give.
  if (claims.cnf !== undefined) throw refused("The token is bound to a key and cannot be used as a bearer token.");
  issuer.check?.(claims);
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "The token has expired.";
  if (error instanceof errors.JWSSignatureVerificationFailed) return "The token's signature is not valid.";
  if (!(error instanceof errors.JWTClaimValidationFailed)) return "The token is damaged or not a JWT.";
  const { claim, reason } = error;
  if (reason === "missing") return `The token lacks the claim \`${claim}\`.`;
  if (claim === "nbf" && reason === "check_failed") return "The token is not valid yet.";
  if (claim === "aud") return "The token is meant for another audience.";
  return `The token's claim \`${claim}\` is not acceptable.`;
}

const refused = (detail: string): WaypostError => new WaypostError("unauthenticated", detail);
