import { base64url, exportSPKI, type JWTPayload } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { rest } from "./client.ts";
import {
  AUDIENCE,
  configure,
  directorySize,
  newKey,
  publishing,
  type SigningKey,
  type TestIssuer,
} from "./jwt_issuer.ts";

let rsa: SigningKey;
let ec: SigningKey;
let foreign: SigningKey;
let othersKey: SigningKey;
let issuer: TestIssuer;
let other: TestIssuer;

const text = (value: unknown) => base64url.encode(JSON.stringify(value));
const now = () => Math.floor(Date.now() / 1_000);

beforeAll(async () => {
  [rsa, ec, foreign, othersKey] = await Promise.all([
    newKey("RS256", "rsa"),
    newKey("ES256", "ec"),
    newKey("ES256", "foreign"),
    newKey("ES256", "others"),
  ]);
  const second = await newKey("ES256", "ec-2");
  issuer = await publishing(rsa, ec, second);
  other = await publishing(othersKey);
  configure(issuer.setting({ claims: { account: "org" } }), other.setting());
  // The directory knows nobody of these issuers, and stays that way.
  expect((await rest(await issuer.token(ec, { sub: "" }), "GET", "/v1/usage")).status).toBe(401);
});

const good = { org: "acme" };
const es256 = (over: JWTPayload, header: Record<string, unknown> = {}, key = ec) =>
  issuer.token(key, { ...good, ...over }, header);

/** A token whose signature is made by hand. */
async function hmac(secret: Uint8Array, header: object): Promise<string> {
  const body = `${text(header)}.${text(issuer.claims(good))}`;
  const key = await crypto.subtle.importKey("raw", new Uint8Array(secret), { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(body));
  return `${body}.${base64url.encode(new Uint8Array(mac))}`;
}

async function publicPem(): Promise<Uint8Array> {
  const params = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("jwk", rsa.jwk as JsonWebKey, params, true, ["verify"]);
  return new TextEncoder().encode(await exportSPKI(key));
}

const cases: [string, RegExp, () => Promise<string>][] = [
  ["of algorithm none", /algorithm/, async () => `${text({ alg: "none" })}.${text(issuer.claims(good))}.`],
  ["of algorithm None", /algorithm/, async () => `${text({ alg: "None" })}.${text(issuer.claims(good))}.AA`],
  ["without an algorithm", /algorithm/, async () => `${text({ typ: "JWT" })}.${text(issuer.claims(good))}.AA`],
  [
    "signed with the public key as a secret",
    /algorithm/,
    async () => hmac(await publicPem(), { alg: "HS256", kid: "rsa" }),
  ],
  [
    "signed with the public modulus as a secret",
    /algorithm/,
    async () => hmac(base64url.decode(rsa.jwk.n ?? ""), { alg: "HS256", kid: "rsa" }),
  ],
  ["that says RS256 over an HMAC", /signature/, async () => hmac(await publicPem(), { alg: "RS256", kid: "rsa" })],
  ["of PS256 where RS256 is meant", /algorithm/, async () => issuer.token(await newKey("PS256", "rsa"), good)],
  [
    "of RS256 whose header was changed to PS256",
    /algorithm/,
    async () => {
      const [, payload, signature] = (await issuer.token(rsa, good)).split(".");
      return `${text({ alg: "PS256", kid: "rsa" })}.${payload}.${signature}`;
    },
  ],
  ["with the id of a key of another type", /key/, () => es256({}, { kid: "rsa" })],
  ["with an unknown key id", /key/, () => es256({}, { kid: "foreign" }, foreign)],
  ["of a foreign key under a known id", /signature/, () => es256({}, { kid: "ec" }, foreign)],
  ["of another configured issuer's key", /key/, () => es256({}, {}, othersKey)],
  ["of another configured issuer's key under our id", /signature/, () => es256({}, { kid: "ec" }, othersKey)],
  ["without a key id, where several keys fit", /which of its issuer's keys/, () => es256({}, { kid: undefined })],
  ["whose key id is a number", /key id/, () => es256({}, { kid: 7 })],
  ["that brings its key along (jwk)", /signature/, () => es256({}, { kid: "ec", jwk: foreign.jwk }, foreign)],
  ["that says where its keys are (jku)", /key/, () => es256({}, { kid: "others", jku: other.jwksUrl }, othersKey)],
  ["that says where its keys are (x5u)", /key/, () => es256({}, { kid: "others", x5u: other.jwksUrl }, othersKey)],
  [
    "with critical extensions",
    /crit/,
    async () => {
      const [, payload, signature] = (await es256({})).split(".");
      return `${text({ alg: "ES256", kid: "ec", crit: ["exp"], exp: now() + 60 })}.${payload}.${signature}`;
    },
  ],
  ["of another kind: logout+jwt", /typ/, () => es256({}, { typ: "logout+jwt" })],
  ["of another kind: dpop+jwt", /typ/, () => es256({}, { typ: "dpop+jwt" })],
  ["bound to a key", /bound/, () => es256({ cnf: { jkt: "x" } })],
  ["for another audience", /audience/, () => es256({ aud: "https://elsewhere.test" })],
  ["for other audiences", /audience/, () => es256({ aud: ["https://elsewhere.test", `${AUDIENCE}/`] })],
  ["for no audience", /`aud`/, () => es256({ aud: undefined })],
  ["for an audience that is no text", /audience/, () => es256({ aud: { a: AUDIENCE } as unknown as string })],
  ["of an unknown issuer", /issuer/, () => es256({ iss: "https://issuer.test" })],
  ["of an issuer written differently", /issuer/, () => es256({ iss: `${issuer.issuer}/` })],
  ["of no issuer", /issuer/, () => es256({ iss: undefined })],
  ["of a list of issuers", /issuer/, () => es256({ iss: [issuer.issuer] as unknown as string })],
  ["of the other issuer, by this one's key", /key/, () => issuer.token(ec, { ...good, iss: other.issuer })],
  ["that has expired", /expired/, () => es256({ exp: now() - 31 })],
  ["that is not valid yet", /not valid yet/, () => es256({ nbf: now() + 60 })],
  ["issued in the future", /future/, () => es256({ iat: now() + 60 })],
  ["that never expires", /`exp`/, () => es256({ exp: undefined })],
  ["whose expiry is text", /`exp`/, () => es256({ exp: `${now() + 60}` as unknown as number })],
  ["without a subject", /`sub`/, () => es256({ sub: undefined })],
  ["whose subject is an object", /`sub`/, () => es256({ sub: { id: 1 } as unknown as string })],
  ["whose subject is too long", /`sub`/, () => es256({ sub: "x".repeat(256) })],
  ["without its tenant", /`org`/, () => es256({ org: undefined })],
  ["with an empty tenant", /`org`/, () => es256({ org: "" })],
  ["cut short", /damaged|signature/, async () => (await es256({})).slice(0, -5)],
  ["without a signature", /damaged|signature/, async () => (await es256({})).replace(/[^.]+$/, "")],
  ["with another payload", /signature/, async () => replaced(await es256({}), issuer.claims({ org: "rival" }))],
  ["whose payload is no JSON", /damaged/, async () => (await es256({})).replace(/\.[^.]+\./, ".e30x.")],
  ["whose payload is a list", /damaged/, async () => `${text({ alg: "ES256" })}.${text([])}.AA`],
  ["whose header is no JSON", /damaged/, async () => (await es256({})).replace(/^[^.]+/, "e30x")],
  ["of empty parts", /damaged|not a credential/, async () => ".."],
  ["nested in another", /not a credential/, async () => `${await es256({})}.${await es256({})}`],
  ["with a fourth part", /not a credential/, async () => `${await es256({})}.AA`],
  ["of more than 8 kB", /longer than/, () => es256({ padding: "x".repeat(8_192) })],
];

const replaced = (token: string, claims: JWTPayload) => token.replace(/\.[^.]+\./, `.${text(claims)}.`);

describe("A JWT is refused", () => {
  it.each(cases)("%s", async (_, kind, make) => {
    const token = await make();
    const before = await directorySize();
    const reply = await rest(token, "GET", "/v1/usage");
    expect(reply.status).toBe(401);
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(reply.headers.get("www-authenticate")).toMatch(/^Bearer .*error="invalid_token"/);
    expect(reply.body).toMatchObject({ code: "unauthenticated", status: 401 });
    expect(reply.body.detail).toMatch(kind);
    const said = JSON.stringify(reply.body);
    for (const part of token.split(".")) if (part.length > 8) expect(said).not.toContain(part);
    expect(await directorySize()).toEqual(before);
  });

  it("whatever byte of it is changed", async () => {
    const token = await issuer.token(ec, { ...good, sub: "changed" });
    const before = await directorySize();
    // The last character of a signature has bits that mean nothing, which a decoder may pass over.
    for (let i = 0; i < token.length - 1; i += 7) {
      const swapped = token[i] === "A" ? "B" : "A";
      const reply = await rest(`${token.slice(0, i)}${swapped}${token.slice(i + 1)}`, "GET", "/v1/usage");
      expect(reply.status).toBe(401);
    }
    expect(await directorySize()).toEqual(before);
    expect((await rest(token, "GET", "/v1/usage")).status).toBe(200);
  });
});
