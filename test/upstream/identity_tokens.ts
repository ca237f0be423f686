import { createHmac, createPublicKey } from "node:crypto";
import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** ID tokens of the stand-in issuer: honest ones by every algorithm, and forged ones by the name of the forgery. */

const SIGNING = { rs256: "RS256", es256: "ES256", ps256: "PS256", eddsa: "EdDSA" } as const;
type Algorithm = (typeof SIGNING)[keyof typeof SIGNING] | "RS384";

interface Signer {
  alg: Algorithm;
  kid: string;
  key: CryptoKey;
  jwk: JWK;
}

export interface TokenFacts {
  issuer: string;
  clientId: string;
  login: string;
  nonce: string | undefined;
  /** Claims of the profile; absent where the issuer keeps them for its userinfo endpoint. */
  profile: Record<string, unknown>;
}

export class TokenMint {
  readonly #signers: Map<string, Signer>;
  readonly #stranger: Signer;

  private constructor(signers: Map<string, Signer>, stranger: Signer) {
    this.#signers = signers;
    this.#stranger = stranger;
  }

  static async open(): Promise<TokenMint> {
    const signers = new Map<string, Signer>();
    for (const [mode, alg] of Object.entries(SIGNING)) signers.set(mode, await newSigner(alg, `key-${mode}`));
    signers.set("rs384", await newSigner("RS384", "key-rs384"));
    return new TokenMint(signers, await newSigner("RS256", "key-of-a-stranger"));
  }

  get keys(): JWK[] {
    return [...this.#signers.values()].map(({ jwk }) => jwk);
  }

  async idToken(mode: string, facts: TokenFacts): Promise<string> {
    const now = Math.floor(Date.now() / 1_000);
    const claims: Record<string, unknown> = {
      iss: facts.issuer,
      aud: facts.clientId,
      sub: facts.login,
      iat: now,
      exp: now + 300,
      nonce: facts.nonce,
      ...facts.profile,
      ...FORGED_CLAIMS[mode]?.(facts, now),
    };
    const signer = this.#signers.get(mode) ?? this.#signer("rs256");
    switch (mode) {
      case "alg-none":
        return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
      case "hs256-public-key":
        return this.#withPublicKeyAsSecret(signer, claims);
      case "foreign-kid":
        return sign(this.#stranger, claims);
      case "bad-signature":
        return sign({ ...this.#stranger, kid: signer.kid }, claims);
      case "own-jwk":
        return sign(this.#stranger, claims, { jwk: this.#stranger.jwk, kid: undefined });
      case "crit":
        return sign(signer, claims, { crit: ["b64"], b64: true });
      case "no-kid":
        return sign(this.#signer("es256"), claims, { kid: undefined });
      case "rs-as-ps":
        return sign(this.#signer("ps256"), claims, { kid: "key-rs256" });
      case "nonsense-token":
        return "not.a.token";
      default:
        return sign(signer, claims);
    }
  }

  #signer(mode: string): Signer {
    const signer = this.#signers.get(mode);
    if (!signer) throw new Error(`no signer ${mode}`);
    return signer;
  }

  /** The classic confusion: the public key, which everybody knows, taken for the secret of an HMAC. */
  #withPublicKeyAsSecret({ jwk, kid }: Signer, claims: object): string {
    const pem = createPublicKey({ key: jwk as never, format: "jwk" }).export({ type: "spki", format: "pem" });
    const body = `${part({ alg: "HS256", typ: "JWT", kid })}.${part(claims)}`;
    return `${body}.${createHmac("sha256", pem).update(body).digest("base64url")}`;
  }
}

const FORGED_CLAIMS: Record<string, (facts: TokenFacts, now: number) => Record<string, unknown>> = {
  "wrong-nonce": () => ({ nonce: "nonce-of-another-sign-in" }),
  "no-nonce": () => ({ nonce: undefined }),
  "wrong-aud": () => ({ aud: "another-client" }),
  "no-aud": () => ({ aud: undefined }),
  "many-aud": ({ clientId }) => ({ aud: [clientId, "another-client"] }),
  "wrong-azp": ({ clientId }) => ({ aud: [clientId, "another-client"], azp: "another-client" }),
  expired: (_, now) => ({ iat: now - 900, exp: now - 300 }),
  "no-exp": () => ({ exp: undefined }),
  "not-yet": (_, now) => ({ nbf: now + 600 }),
  "other-issuer": ({ issuer }) => ({ iss: issuer.replace(/[^/]+$/, "rs256") }),
  "no-iss": () => ({ iss: undefined }),
  "no-sub": () => ({ sub: undefined }),
  "number-sub": () => ({ sub: 42 }),
  "unverified-email": () => ({ email_verified: false }),
};

async function newSigner(alg: Algorithm, kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { alg, kid, key: privateKey, jwk: { ...(await exportJWK(publicKey)), alg, kid, use: "sig" } };
}

const sign = ({ alg, kid, key }: Signer, claims: Record<string, unknown>, header: Record<string, unknown> = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg, typ: "JWT", kid, ...header }).sign(key, { crit: { b64: true } });

const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
