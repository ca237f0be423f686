import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { Sessions } from "../../src/auth/sessions.ts";
import type { Env } from "../../src/env.ts";
import { account, agent, ORIGIN, owner, rest } from "./client.ts";
import { configure, newKey, publishing } from "./jwt_issuer.ts";
import { client, connect, grantIn, statusAt } from "./oauth_flow.ts";
import { sendMcp, toolCall } from "./refusal.ts";

const settings = env as unknown as Env;

/** An account with its owner's id and a key that may manage it. */
async function someone() {
  const mine = await account("pro", { scopes: ["account", "search"] });
  const { user } = (await rest(await owner(), "GET", `/v1/admin/accounts/${mine.account}`)).body;
  return { ...mine, user };
}

let who: Awaited<ReturnType<typeof someone>>;
let app: string;
beforeAll(async () => {
  who = await someone();
  app = await client();
});
const connected = (resource: string, scopes = ["search" as const]) =>
  connect({ user: who.user, account: who.account }, { client: app, resource: `${ORIGIN}/${resource}`, scopes });

describe("whoami", () => {
  it("by a key: who, where, as what, what is left, and how to get more", async () => {
    const spec = { name: "test", scopes: ["account", "search"], limits: { minute: 60 } };
    const { body: limited } = await rest(who.key, "POST", "/v1/keys", spec);
    const { status, body } = await rest(limited.api_key, "GET", "/v1/me");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      user: { id: who.user, name: "test", email: null },
      account: { id: who.account, name: "test", plan: "pro" },
      role: "owner",
      scopes: ["account", "search"],
      signed_in: {
        how: "api_key",
        id: limited.id,
        name: "test",
        expires_at: null,
        limits: { minute: 60 },
        budget: null,
      },
      left: { plan_tokens: 50_000_000, credit_nano: 0, calls: [{ window: "minute", limit: 60 }, {}, {}] },
      more_scopes: expect.stringContaining("/v1/keys"),
    });
  });

  it("needs no scope: a key without any may ask, an agent too", async () => {
    const none = await account("free", { scopes: ["offline_access"] });
    expect((await rest(none.key, "GET", "/v1/me")).body.scopes).toEqual(["offline_access"]);
    const client = await agent(none.key);
    const { structuredContent, content } = await client.callTool({ name: "whoami", arguments: {} });
    expect(structuredContent).toMatchObject({ account: { id: none.account, plan: "free" } });
    expect(JSON.stringify(content)).toContain(none.account);
    await client.close();
    expect((await rest(null, "GET", "/v1/me")).status).toBe(401);
  });

  it("by an app: names it, with the link that adds a scope", async () => {
    const tokens = await connected("v1");
    const { body } = await rest(tokens.access_token, "GET", "/v1/me");
    const grant = grantIn(tokens.access_token);
    expect(body).toMatchObject({
      user: { id: who.user },
      scopes: ["search"],
      role: "owner",
      signed_in: { how: "oauth", id: `grant_${grant}`, name: "Test app" },
    });
    expect(body.more_scopes).toContain(`${ORIGIN}/account/apps/${grant}/scopes?add=`);
    const mcp = await connected("mcp");
    const reply = await sendMcp(mcp.access_token, toolCall("whoami", {}));
    expect(JSON.stringify(reply.body)).toContain(`grant_${grantIn(mcp.access_token)}`);
  });

  it("by a token of another issuer: what its issuer said, and no more", async () => {
    const key = await newKey("ES256", "k1");
    const issuer = await publishing(key);
    configure(issuer.setting({ algorithms: ["ES256"] }));
    const { status, body } = await rest(await issuer.token(key, { sub: "pat" }), "GET", "/v1/me");
    expect(status).toBe(200);
    expect(body).toMatchObject({
      signed_in: { how: "jwt", id: expect.stringMatching(/^jwt_/) },
      account: { plan: "enterprise" },
    });
    expect(JSON.stringify(body)).not.toContain(issuer.issuer);
  });
});

describe("connected apps", () => {
  it("are listed to their user alone and end one by one", async () => {
    const [one, two] = [await connected("v1"), await connected("v1")];
    const stranger = await someone();
    const { apps } = (await rest(who.key, "GET", "/v1/me/apps")).body;
    const grants = apps.map(({ grant }: { grant: string }) => grant);
    expect(grants).toEqual(expect.arrayContaining([grantIn(one.access_token), grantIn(two.access_token)]));
    const mine = apps.find(({ grant }: { grant: string }) => grant === grantIn(one.access_token));
    expect(mine).toMatchObject({ client_name: "Test app", resource: `${ORIGIN}/v1`, account: who.account });
    expect(JSON.stringify(apps)).not.toContain(one.access_token);
    expect((await rest(stranger.key, "GET", "/v1/me/apps")).body).toEqual({ apps: [] });

    const path = `/v1/me/apps/${grantIn(one.access_token)}`;
    expect((await rest(stranger.key, "DELETE", path)).status).toBe(404);
    expect((await rest(one.access_token, "DELETE", path)).body.code).toBe("insufficient_scope");
    expect((await rest(one.access_token, "GET", "/v1/me")).status).toBe(200);
    expect((await rest(who.key, "DELETE", path)).status).toBe(200);
    expect((await rest(one.access_token, "GET", "/v1/me")).status).toBe(401);
    expect((await rest(two.access_token, "GET", "/v1/me")).status).toBe(200);
    expect((await rest(who.key, "DELETE", path)).body.code).toBe("not_found");
  });

  it("and sessions all end by signing out everywhere; keys and other users' stay", async () => {
    const stranger = await someone();
    const sessions = new Sessions(settings);
    await sessions.start(who.user, "passkey");
    await sessions.start(who.user, "passkey");
    await sessions.start(stranger.user, "passkey");
    const tokens = await connected("mcp");
    const out = await rest(who.key, "POST", "/v1/me/sign-out", {});
    expect(out.body).toMatchObject({ sessions: 2, apps: expect.any(Number) });
    expect(out.body.apps).toBeGreaterThan(0);
    expect(await statusAt("mcp", tokens.access_token)).toBe(401);
    expect(await sessions.list(who.user)).toEqual([]);
    expect(await sessions.list(stranger.user)).toHaveLength(1);
    expect((await rest(who.key, "GET", "/v1/me")).status).toBe(200);
    expect((await rest(who.key, "POST", "/v1/me/sign-out", {})).body).toEqual({ sessions: 0, apps: 0 });
  });
});
