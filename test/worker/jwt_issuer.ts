import { env } from "cloudflare:test";
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from "jose";
import { inject } from "vitest";
import type { Behaviour } from "../upstream/jwks_server.ts";

/** An issuer for tests: keys of its own, published by the stand-in server. */

export const AUDIENCE = "https://waypost.test/v1";

export interface SigningKey {
  kid: string;
  alg: string;
  privateKey: CryptoKey;
  jwk: JWK;
}

export async function newKey(alg: string, kid: string): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" } };
}

let made = 0;

export class TestIssuer {
  readonly name = `issuer-${crypto.randomUUID().slice(0, 8)}-${++made}`;
  readonly issuer = `${inject("jwksUrl")}/${this.name}`;
  readonly jwksUrl = `${this.issuer}/.well-known/jwks.json`;

  /** This issuer's entry in JWT_ISSUERS, with what a test wants different. */
  setting(over: Record<string, unknown> = {}): Record<string, unknown> {
    const base = { issuer: this.issuer, jwks_url: this.jwksUrl, audience: AUDIENCE, default_plan: "enterprise" };
    return { ...base, ...over };
  }

  async behave(behaviour: Behaviour): Promise<void> {
    await fetch(`${inject("jwksUrl")}/control/${this.name}`, { method: "PUT", body: JSON.stringify(behaviour) });
  }

  async publish(...keys: SigningKey[]): Promise<void> {
    await this.behave({ body: JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }) });
  }

  async fetches(): Promise<number> {
    const response = await fetch(`${inject("jwksUrl")}/control/${this.name}`);
    return ((await response.json()) as { fetches: number }).fetches;
  }

  /** Claims that are good for five minutes; a claim given as undefined is left out. */
  claims(over: JWTPayload = {}): JWTPayload {
    const now = Math.floor(Date.now() / 1_000);
    const base = { iss: this.issuer, aud: AUDIENCE, sub: "somebody", iat: now, nbf: now - 5, exp: now + 300 };
    return JSON.parse(JSON.stringify({ ...base, ...over }));
  }

  async token(key: SigningKey, over: JWTPayload = {}, header: Record<string, unknown> = {}): Promise<string> {
    const protectedHeader = { alg: key.alg, kid: key.kid, typ: "JWT", ...header };
    return new SignJWT(this.claims(over))
      .setProtectedHeader(JSON.parse(JSON.stringify(protectedHeader)))
      .sign(key.privateKey);
  }
}

/** Sets JWT_ISSUERS of the running Worker. */
export function configure(...settings: Record<string, unknown>[]): void {
  Object.assign(env, { JWT_ISSUERS: JSON.stringify(settings) });
}

export async function publishing(...keys: SigningKey[]): Promise<TestIssuer> {
  const issuer = new TestIssuer();
  await issuer.publish(...keys);
  return issuer;
}

/** How many rows the directory has: what a refused token must not change. */
export async function directorySize(): Promise<Record<string, number>> {
  const tables = ["accounts", "users", "members", "identities"];
  const row = await env.DB.prepare(
    `SELECT ${tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`).join(", ")}`,
  ).first<Record<string, number>>();
  return row ?? {};
}
