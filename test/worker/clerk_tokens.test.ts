import { env } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { callerOfJwt } from "../../src/auth/jwt/callers.ts";
import { configureClerk } from "./clerk_svix.ts";
import { rest } from "./client.ts";
import { newKey, publishing, type SigningKey, type TestIssuer } from "./jwt_issuer.ts";

let key: SigningKey;
let clerk: TestIssuer;

beforeAll(async () => {
  key = await newKey("RS256", "ins_1");
  clerk = await publishing(key);
  configureClerk({ issuer: clerk.issuer });
});
afterEach(() => configureClerk({ issuer: clerk.issuer }));

/** A session token as Clerk issues it: no `aud`, 60 seconds. */
const session = (over: Record<string, unknown> = {}, header: Record<string, unknown> = {}) => {
  const exp = Math.floor(Date.now() / 1_000) + 60;
  const defaults = {
    aud: undefined,
    sub: "user_1",
    sid: "sess_1",
    azp: "https://app.example.test",
    v: 2,
    sts: "active",
    exp,
  };
  return clerk.token(key, { ...defaults, ...over }, header);
};
const account = async (over: Record<string, unknown>) => (await callerOfJwt(env, await session(over))).account;
const usage = (token: string) => rest(token, "GET", "/v1/usage");

describe("Clerk's session tokens", () => {
  it("work from CLERK_ISSUER alone", async () => {
    const reply = await usage(await session());
    expect(reply.status).toBe(200);
    expect(reply.body.plan).toBe("free");
  });

  it("act for the active organization, in both versions of the token, or else for the person", async () => {
    const organization = await account({ o: { id: "org_1", slg: "acme", rol: "admin" } });
    expect(await account({ o: undefined, v: undefined, org_id: "org_1", org_slug: "acme", sub: "user_2" })).toBe(
      organization,
    );
    const others = [await account({ o: { id: "org_2" } }), await account({}), await account({ sub: "user_2" })];
    expect(new Set([organization, ...others]).size).toBe(4);
    expect(await account({ o: { id: "same" } })).not.toBe(await account({ sub: "same" }));
    const row = await env.DB.prepare("SELECT name FROM accounts WHERE id = ?").bind(organization).first();
    expect(row).toEqual({ name: "acme" });
  });

  it("carry the plan of whom they act for", async () => {
    const iat = Math.floor(Date.now() / 1_000);
    const person = { sub: "user_plan", metadata: { plan: "pro", scopes: ["usage", "admin"] } };
    expect((await usage(await session({ ...person, iat }))).body.plan).toBe("pro");
    const token = await session({ ...person, iat, o: { id: "org_plan" } });
    expect((await usage(token)).body.plan).toBe("free");
    expect(await callerOfJwt(env, token)).toMatchObject({ caller: { verified: { scopes: ["usage"] } } });
    const paid = await session({ ...person, iat: iat + 1, o: { id: "org_plan" }, org_metadata: { plan: "basic" } });
    expect((await usage(paid)).body.plan).toBe("basic");
  });

  it("may be made from a template for this server", async () => {
    for (const aud of ["https://waypost.test", "https://waypost.test/v1", ["x", "https://waypost.test/v1"]]) {
      expect((await usage(await session({ aud, sid: undefined }))).status).toBe(200);
    }
  });

  const refusals: [string, RegExp, () => Promise<string>][] = [
    ["made from a template for another service", /audience/, () => session({ aud: "hasura" })],
    ["that are for MCP alone", /audience/, () => session({ aud: "https://waypost.test/mcp" })],
    ["that are no session's", /session/, () => session({ sid: undefined })],
    ["that were given to another app by OAuth", /typ/, () => session({}, { typ: "at+jwt" })],
    ["of a session that is pending", /active/, () => session({ sts: "pending" })],
    ["whose organization cannot be read", /`o.id`/, () => session({ o: { id: { not: "text" } } })],
    ["without a subject", /`sub`/, () => session({ sub: undefined })],
    ["that have expired", /expired/, () => session({ exp: Math.floor(Date.now() / 1_000) - 60 })],
    ["signed by another algorithm", /algorithm/, async () => clerk.token(await newKey("ES256", "ins_1"), {})],
    [
      "signed by another instance",
      /signature/,
      async () => clerk.token(await newKey("RS256", "ins_1"), { aud: undefined }),
    ],
  ];

  it.each(refusals)("are refused: those %s", async (_, kind, make) => {
    const reply = await usage(await make());
    expect(reply.status).toBe(401);
    expect(reply.body.detail).toMatch(kind);
  });

  it("must come from an authorized party where those are named", async () => {
    configureClerk({ issuer: clerk.issuer, parties: "https://app.example.test, https://admin.example.test" });
    for (const azp of ["https://app.example.test", "https://admin.example.test"]) {
      expect((await usage(await session({ azp }))).status).toBe(200);
    }
    for (const azp of ["https://evil.example.test", undefined, "", ["https://app.example.test"]]) {
      const reply = await usage(await session({ azp }));
      expect(reply.status).toBe(401);
      expect(reply.body.detail).toMatch(/party/);
    }
  });

  it("are refused when Clerk is not configured, and a broken setting is named", async () => {
    const token = await session();
    configureClerk({});
    expect((await usage(token)).status).toBe(401);
    configureClerk({ issuer: "http://clerk.example.test" });
    const reply = await usage(token);
    expect(reply.status).toBe(503);
    expect(reply.body).toMatchObject({ code: "not_configured" });
    expect(reply.body.detail).toMatch(/CLERK_ISSUER/);
  });
});
