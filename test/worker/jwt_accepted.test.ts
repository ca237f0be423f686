import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { callerOfJwt } from "../../src/auth/jwt/callers.ts";
import { rest } from "./client.ts";
import { configure, newKey, publishing, type SigningKey, type TestIssuer } from "./jwt_issuer.ts";

let key: SigningKey;
let people: TestIssuer;
let company: TestIssuer;
let closed: TestIssuer;
let settings: Record<string, unknown>[];

beforeAll(async () => {
  key = await newKey("ES256", "k1");
  [people, company, closed] = await Promise.all([publishing(key), publishing(key), publishing(key)]);
  settings = [
    people.setting({ audience: ["https://waypost.test/v1", "waypost"], claims: { plan: "plan", scopes: "scope" } }),
    company.setting({
      claims: {
        ...{ account: "org.id", account_name: "org.name", user: "uid", name: "profile.name" },
        ...{ plan: "https://company.example/plan", scopes: "permissions" },
      },
      plans: { gold: "pro", silver: "basic" },
      scopes: { "wp:read": ["usage", "search"], "wp:chat": ["chat"] },
      default_scopes: ["usage"],
    }),
    closed.setting({ provision: false }),
  ];
  configure(...settings);
});

const usage = (token: string) => rest(token, "GET", "/v1/usage");

describe("A token that is good", () => {
  it.each(["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"])(
    "is accepted when signed with %s",
    async (alg) => {
      const own = await newKey(alg, `key-of-${alg}`);
      const issuer = await publishing(own);
      configure(...settings, issuer.setting({ algorithms: [alg] }));
      expect((await usage(await issuer.token(own))).status).toBe(200);
    },
  );

  it("may name several audiences, one of them ours, by any of its configured names", async () => {
    for (const aud of ["waypost", ["elsewhere", "waypost"], ["https://waypost.test/v1"]]) {
      expect((await usage(await people.token(key, { aud }))).status).toBe(200);
    }
  });

  it("may be of type JWT or at+jwt, or of none", async () => {
    for (const typ of ["JWT", "jwt", "at+jwt", "application/at+jwt", undefined]) {
      expect((await usage(await people.token(key, {}, { typ }))).status).toBe(200);
    }
  });

  it("needs no key id when its issuer has one key that fits", async () => {
    expect((await usage(await people.token(key, {}, { kid: undefined }))).status).toBe(200);
  });

  it("may have expired, or begin, within the clock's tolerance", async () => {
    const now = Math.floor(Date.now() / 1_000);
    expect((await usage(await people.token(key, { exp: now - 10 }))).status).toBe(200);
    expect((await usage(await people.token(key, { nbf: now + 10, iat: now + 10 }))).status).toBe(200);
  });

  it("is not accepted by MCP", async () => {
    const reply = await rest(await people.token(key), "POST", "/mcp", { jsonrpc: "2.0", id: 1, method: "ping" });
    expect(reply.status).toBe(401);
    expect(reply.headers.get("www-authenticate")).toMatch(/^Bearer /);
  });
});

describe("What a token says of its person", () => {
  it("is a personal account of their own, with name and address", async () => {
    const token = await people.token(key, { sub: "ada", name: "Ada\u0000 L.", email: "ada@example.test" });
    const { account, caller } = await callerOfJwt(env, token);
    expect(account).toMatch(/^[0-9a-z]{16}$/);
    const { verified } = caller as { verified: { id: string; user: string; scopes: string[] } };
    expect(verified.id).toMatch(/^jwt_[0-9a-z]{16}$/);
    expect(verified.scopes).toEqual(["chat", "usage", "sync", "search", "documents:write"]);
    const user = await env.DB.prepare("SELECT id, name, email FROM users WHERE id = ?").bind(verified.user).first();
    expect(user).toEqual({ id: verified.user, name: "Ada L.", email: "ada@example.test" });
    const identity = await env.DB.prepare("SELECT user FROM identities WHERE issuer = ? AND subject = 'ada'")
      .bind(people.issuer)
      .first();
    expect(identity).toEqual({ user: verified.user });
    expect(await callerOfJwt(env, await people.token(key, { sub: "ada", email: "new@example.test" }))).toMatchObject({
      account,
      caller: { verified: { id: verified.id, user: verified.user } },
    });
  });

  it("brings the tenant's members into one account, the first as its owner", async () => {
    const tenant = { org: { id: "acme", name: "Acme" } };
    const tokens = await Promise.all(["a", "b", "c"].map((uid) => company.token(key, { ...tenant, uid })));
    const callers = await Promise.all(tokens.map((token) => callerOfJwt(env, token)));
    expect(new Set(callers.map(({ account }) => account)).size).toBe(1);
    const account = callers[0]?.account;
    const { results } = await env.DB.prepare("SELECT role FROM members WHERE account = ? ORDER BY role DESC")
      .bind(account)
      .all();
    expect(results).toEqual([{ role: "owner" }, { role: "member" }, { role: "member" }]);
    expect(await env.DB.prepare("SELECT name FROM accounts WHERE id = ?").bind(account).first()).toEqual({
      name: "Acme",
    });
  });

  it("never lets two tenants meet: nor a tenant and a person, nor two issuers, of the same name", async () => {
    const alike = { sub: "acme", uid: "acme" };
    const callers = await Promise.all([
      callerOfJwt(env, await company.token(key, { ...alike, org: { id: "acme" } })),
      callerOfJwt(env, await company.token(key, { ...alike, org: { id: "Acme" } })),
      callerOfJwt(env, await company.token(key, { ...alike, org: { id: "acme " } })),
      callerOfJwt(env, await people.token(key, alike)),
    ]);
    expect(new Set(callers.map(({ account }) => account)).size).toBe(4);
    const users = callers.map(({ caller }) => (caller as { verified: { user: string } }).verified.user);
    // One person in three tenants of one issuer, and another person who is called the same elsewhere.
    expect(new Set(users).size).toBe(2);
  });

  it("maps the plan, and a newer statement moves the account", async () => {
    const claims = { uid: "planner", org: { id: "plans" } };
    const now = Math.floor(Date.now() / 1_000);
    const stated = (plan: string, iat: number) =>
      company.token(key, { ...claims, iat, "https://company.example/plan": plan });
    expect((await usage(await stated("silver", now - 20))).body.plan).toBe("basic");
    expect((await usage(await stated("gold", now - 10))).body.plan).toBe("pro");
    expect((await usage(await stated("silver", now - 15))).body.plan).toBe("pro");
    expect((await usage(await stated("platinum", now - 5))).body.plan).toBe("pro");
    // The names of our plans mean nothing where the issuer has names of its own.
    expect((await usage(await stated("enterprise", now - 4))).body.plan).toBe("pro");
  });

  it("maps permissions to scopes; one that is not granted is refused with its name", async () => {
    const token = (permissions: unknown) => company.token(key, { uid: "s", org: { id: "scopes" }, permissions });
    const scopes = async (permissions: unknown) => {
      const { caller } = await callerOfJwt(env, await token(permissions));
      return (caller as { verified: { scopes: string[] } }).verified.scopes;
    };
    expect(await scopes(["wp:read", "wp:chat", "wp:read", "other"])).toEqual(["usage", "search", "chat"]);
    expect(await scopes("wp:chat other")).toEqual(["chat"]);
    expect(await scopes(undefined)).toEqual(["usage"]);
    expect(await scopes([])).toEqual([]);
    expect(await scopes({ admin: true })).toEqual([]);
    expect(await scopes(["constructor", "__proto__", "admin"])).toEqual([]);
    const refused = await usage(await token(["wp:chat"]));
    expect(refused.status).toBe(403);
    expect(refused.body).toMatchObject({ code: "insufficient_scope", required_scope: "usage" });
  });

  it("never makes an administrator", async () => {
    const token = await people.token(key, { sub: "eve", scope: "usage admin chat" });
    const { caller } = await callerOfJwt(env, token);
    expect(caller).toMatchObject({ verified: { scopes: ["usage", "chat"] } });
    expect((await rest(token, "POST", "/v1/admin/accounts", { name: "x", plan: "free" })).status).toBe(403);
  });

  it("opens no account where the issuer may not", async () => {
    const reply = await usage(await closed.token(key));
    expect(reply.status).toBe(401);
    expect(reply.body.detail).toMatch(/no account/);
    expect(await env.DB.prepare("SELECT 1 FROM identities WHERE issuer = ?").bind(closed.issuer).first()).toBeNull();
  });
});
