import { env, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { Grants } from "../../src/auth/oauth/grants.ts";
import { client, codeFor, connect, grantIn, type Person, person, refresh, statusAt, token } from "./oauth_flow.ts";

const grants = new Grants(env);
const storeOf = (user: string) => env.AUTH.get(env.AUTH.idFromName(`user:${user}`));

describe("revocation", () => {
  const revoke = (what: string, id: string, more: Record<string, string> = {}) =>
    token({ token: what, client_id: id, ...more });

  it("of a refresh token ends its grant and leaves another of the same client and user alone", async () => {
    const who = await person();
    const id = await client();
    const [laptop, phone] = [await connect(who, { client: id }), await connect(who, { client: id })];
    const other = await client();
    expect((await revoke(laptop.refresh_token, other)).status).toBe(200);
    expect(await statusAt("mcp", laptop.access_token)).toBe(200);
    expect((await revoke(laptop.refresh_token, id)).status).toBe(200);
    expect(await statusAt("mcp", laptop.access_token)).toBe(401);
    expect((await refresh(laptop.refresh_token, id)).body.error).toBe("invalid_grant");
    expect(await statusAt("mcp", phone.access_token)).toBe(200);
    expect((await refresh(phone.refresh_token, id)).status).toBe(200);
  });

  it("of an access token ends that token alone; of nonsense, nothing", async () => {
    const who = await person();
    const tokens = await connect(who, { client: await client() });
    expect((await revoke("nonsense", tokens.client)).status).toBe(200);
    expect((await revoke(tokens.access_token, tokens.client, { token_type_hint: "access_token" })).status).toBe(200);
    expect(await statusAt("mcp", tokens.access_token)).toBe(401);
    expect((await refresh(tokens.refresh_token, tokens.client)).status).toBe(200);
  });

  it("while refreshes run never leaves a working token behind", async () => {
    const who = await person();
    const tokens = await connect(who, { client: await client() });
    const work = Array.from({ length: 10 }, () => refresh(tokens.refresh_token, tokens.client));
    const revoked = grants.revoke(who.user, grantIn(tokens.access_token));
    const replies = await Promise.all(work);
    expect(await revoked).toBe(true);
    for (const { status, body } of replies) {
      if (status === 200) expect(await statusAt("mcp", body.access_token)).toBe(401);
    }
    expect(await grants.list(who.user)).toEqual([]);
  });
});

describe("connected apps", () => {
  const connected = async (who: Person) => (await grants.list(who.user)).map(({ grant }) => grant);

  it("are listed with what the consent page knew, and when they were used", async () => {
    const who = await person();
    const id = await client();
    await codeFor(who, { client: id }); // Never redeemed: not connected.
    const tokens = await connect(who, { client: id });
    const [app, ...more] = await grants.list(who.user);
    expect(more).toEqual([]);
    expect(app).toEqual({
      grant: grantIn(tokens.access_token),
      client_id: id,
      client_name: "Test app",
      client_domain: null,
      resource: "https://waypost.test/mcp",
      scopes: ["chat", "usage", "sync", "search", "documents:write", "offline_access"],
      account: who.account,
      created_at: expect.any(String),
      last_used_at: null,
      expires_at: expect.any(String),
    });
    await statusAt("mcp", tokens.access_token);
    const used = (await grants.list(who.user))[0]?.last_used_at;
    expect(Date.now() - Date.parse(used ?? "")).toBeLessThan(10_000);
    await statusAt("mcp", tokens.access_token);
    expect((await grants.list(who.user))[0]?.last_used_at).toBe(used);
  });

  it("are revoked one by one or all at once, from the next call on", async () => {
    const who = await person();
    const id = await client();
    const [a, b, c] = [
      await connect(who, { client: id }),
      await connect(who, { client: id }),
      await connect(who, { client: id }),
    ];
    expect(await grants.revoke(who.user, grantIn(b.access_token))).toBe(true);
    expect(await grants.revoke(who.user, grantIn(b.access_token))).toBe(false);
    expect(await Promise.all([a, b, c].map((t) => statusAt("mcp", t.access_token)))).toEqual([200, 401, 200]);
    const stranger = await person();
    expect(await grants.revoke(stranger.user, grantIn(a.access_token))).toBe(false);
    expect(await grants.revokeAll(who.user)).toBe(2);
    expect(await Promise.all([a, b, c].map((t) => statusAt("mcp", t.access_token)))).toEqual([401, 401, 401]);
  });

  it("can be given a scope, which holds for the tokens they have and those they get", async () => {
    const who = await person();
    const tokens = await connect(who, {
      client: await client(),
      scopes: ["search", "offline_access"],
      resource: "https://waypost.test/v1",
    });
    expect(await statusAt("v1", tokens.access_token)).toBe(403);
    const extended = await grants.extend(who.user, grantIn(tokens.access_token), ["usage"]);
    expect(extended?.scopes).toEqual(["search", "offline_access", "usage"]);
    expect(await statusAt("v1", tokens.access_token)).toBe(200);
    expect((await refresh(tokens.refresh_token, tokens.client)).body.scope).toBe("search offline_access usage");
    expect(await grants.extend(who.user, "a".repeat(16), ["usage"])).toBeNull();
  });

  it("of one client number 50 at most: the longest unused makes room", async () => {
    const who = await person();
    const id = await client();
    const first = await connect(who, { client: id });
    const second = await connect(who, { client: id });
    // The second's creation is older, but it was used.
    await runInDurableObject(storeOf(who.user), (_, state) => {
      const sql = "UPDATE entries SET value = json_set(value, '$.createdAt', ?) WHERE name = ?";
      state.storage.sql.exec(sql, 2, `grant:${who.user}:${grantIn(first.access_token)}`);
      state.storage.sql.exec(sql, 1, `grant:${who.user}:${grantIn(second.access_token)}`);
    });
    await statusAt("mcp", second.access_token);
    for (let i = 0; i < 49; i++) await connect(who, { client: id });
    const ids = await connected(who);
    expect(ids).toHaveLength(50);
    expect(ids).toContain(grantIn(second.access_token));
    expect(ids).not.toContain(grantIn(first.access_token));
    expect(await statusAt("mcp", first.access_token)).toBe(401);
    const other = await connect(who, { client: await client() });
    expect(await connected(who)).toContain(grantIn(other.access_token));
    expect(await connected(who)).toHaveLength(51);
  });
});
