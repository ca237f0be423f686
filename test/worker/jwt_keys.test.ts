import { exportJWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { type Reply, rest } from "./client.ts";
import { configure, directorySize, newKey, publishing, type SigningKey, TestIssuer } from "./jwt_issuer.ts";

let key: SigningKey;
let next: SigningKey;

beforeAll(async () => {
  [key, next] = await Promise.all([newKey("ES256", "key-1"), newKey("ES256", "key-2")]);
});

const usage = (token: string): Promise<Reply> => rest(token, "GET", "/v1/usage");

async function set(issuer: TestIssuer): Promise<TestIssuer> {
  configure(issuer.setting());
  return issuer;
}

describe("The keys of an issuer", () => {
  it("are fetched once for many calls, also when they come at once", async () => {
    const issuer = await set(await publishing(key));
    const token = await issuer.token(key);
    await issuer.behave({ body: JSON.stringify({ keys: [key.jwk] }), delay: 300 });
    const replies = await Promise.all(Array.from({ length: 20 }, () => usage(token)));
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect((await usage(token)).status).toBe(200);
    expect(await issuer.fetches()).toBe(1);
  });

  it("may be rotated: the new one counts at once, the old one until it is withdrawn", async () => {
    const issuer = await set(await publishing(key));
    expect((await usage(await issuer.token(key))).status).toBe(200);
    await issuer.publish(next);
    const replies = await Promise.all([1, 2, 3].map(async () => usage(await issuer.token(next))));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await issuer.fetches()).toBe(2);
    const old = await usage(await issuer.token(key));
    expect(old.status).toBe(401);
    expect(old.body.detail).toMatch(/does not publish/);
  });

  it("are not asked for by a flood of unknown key ids", async () => {
    const issuer = await set(await publishing(key));
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, i) => issuer.token(key, {}, { kid: `unknown-${i}` })),
    );
    const replies = await Promise.all(tokens.map(usage));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([401]));
    expect(await issuer.fetches()).toBe(2);
    expect((await usage(await issuer.token(key))).status).toBe(200);
  });

  it("are used on while the issuer is down", async () => {
    const issuer = await set(await publishing(key));
    const token = await issuer.token(key);
    expect((await usage(token)).status).toBe(200);
    await issuer.behave({ mode: "reset" });
    expect((await usage(token)).status).toBe(200);
    // Whether this key exists cannot be known now: that is no verdict on the token.
    const unknown = await usage(await issuer.token(next));
    expect(unknown.status).toBe(503);
    expect((await usage(token)).status).toBe(200);
  });

  it("that are of no use are passed over", async () => {
    const secret = { kty: "oct", k: "c2VjcmV0", kid: "key-1", alg: "ES256" };
    const keys = [
      ...[null, 7, "key", [], {}, { kty: "EC" }, { ...key.jwk, x: "AAAA" }, { ...key.jwk, use: "enc" }, secret],
      ...[{ ...key.jwk, key_ops: ["sign"] }, { ...key.jwk, kty: "RSA" }, { ...key.jwk, alg: "ES384" }, key.jwk],
    ];
    const issuer = await set(new TestIssuer());
    await issuer.behave({ body: JSON.stringify({ keys }) });
    expect((await usage(await issuer.token(key))).status).toBe(200);
  });

  it("that come with their private half are refused", async () => {
    const issuer = await set(new TestIssuer());
    const leaked = { ...key.jwk, ...(await exportJWK(key.privateKey)) };
    expect(leaked.d).toBeTruthy();
    await issuer.behave({ body: JSON.stringify({ keys: [leaked, next.jwk] }) });
    expect((await usage(await issuer.token(key))).body.detail).toMatch(/does not publish/);
    expect((await usage(await issuer.token(next))).status).toBe(200);
  });
});

describe("Without keys an answer is 503 and not 401, and nothing is opened", () => {
  const failures: [string, (issuer: TestIssuer) => Promise<void> | void][] = [
    ["the issuer is not there", (issuer) => configure(issuer.setting({ jwks_url: "http://127.0.0.1:9/jwks.json" }))],
    ["the connection breaks", (issuer) => issuer.behave({ mode: "reset" })],
    ["the issuer fails", (issuer) => issuer.behave({ status: 500, body: '{"keys": []}' })],
    ["there are no keys at the URL", (issuer) => issuer.behave({ status: 404 })],
    ["the answer is no JSON", (issuer) => issuer.behave({ body: "<html>secret upstream words</html>" })],
    ["the answer is no key set", (issuer) => issuer.behave({ body: '{"keys": {}}' })],
    ["the answer is null", (issuer) => issuer.behave({ body: "null" })],
    ["the set is empty", (issuer) => issuer.behave({ body: '{"keys": []}' })],
    ["the set has nothing that can be used", (issuer) => issuer.behave({ body: '{"keys": [{"kty": "EC"}, 1]}' })],
    ["the answer has no end", (issuer) => issuer.behave({ mode: "endless" })],
  ];

  it.each(failures)("%s", async (_, fail) => {
    const issuer = await set(new TestIssuer());
    await fail(issuer);
    await isUnavailable(await issuer.token(key));
  });

  it("the answer redirects to other keys", async () => {
    const issuer = await set(new TestIssuer());
    await issuer.behave({ mode: "redirect", to: (await publishing(key)).jwksUrl });
    await isUnavailable(await issuer.token(key));
  });

  it("the answer takes longer than 5 s, for all who wait for it", { timeout: 15_000 }, async () => {
    const issuer = await set(new TestIssuer());
    await issuer.behave({ body: JSON.stringify({ keys: [key.jwk] }), delay: 8_000 });
    const token = await issuer.token(key);
    const startedAt = Date.now();
    await Promise.all([isUnavailable(token), isUnavailable(token), isUnavailable(token)]);
    expect(Date.now() - startedAt).toBeGreaterThan(4_500);
    expect(Date.now() - startedAt).toBeLessThan(7_000);
    expect(await issuer.fetches()).toBe(1);
  });

  async function isUnavailable(token: string): Promise<void> {
    const before = await directorySize();
    const reply = await usage(token);
    expect(reply.status).toBe(503);
    expect(reply.headers.get("content-type")).toBe("application/problem+json");
    expect(Number(reply.headers.get("retry-after"))).toBeGreaterThan(0);
    expect(reply.body).toMatchObject({ code: "unavailable", retry: "later" });
    expect(JSON.stringify(reply.body)).not.toMatch(/secret|127\.0\.0\.1/);
    expect(await directorySize()).toEqual(before);
  }
});
