import { env, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import { Grants } from "../../src/auth/oauth/grants.ts";
import { hashOf } from "../../src/auth/oauth/tokens.ts";
import {
  CALLBACK,
  client,
  codeFor,
  connect,
  grantIn,
  person,
  refresh,
  register,
  statusAt,
  token,
} from "./oauth_flow.ts";

const grants = new Grants(env);
const storeOf = (user: string) => env.AUTH.get(env.AUTH.idFromName(`user:${user}`));

/** Rows of a user's object, as they lie on disk. */
const rowsOf = (user: string): Promise<Record<string, unknown>[]> =>
  runInDurableObject(storeOf(user), (_, state) => state.storage.sql.exec("SELECT * FROM entries").toArray());

/** Moves the object's grace into the past. */
const endGrace = (user: string): Promise<void> =>
  runInDurableObject(storeOf(user), (_, state) => {
    state.storage.sql.exec("UPDATE entries SET expires_at = ? WHERE name LIKE 'answer:%'", Date.now() - 1);
  });

describe("authorization codes", () => {
  it("are redeemed once for tokens of the resource that was asked for", async () => {
    const who = await person();
    const id = await client();
    const { form, redirectTo } = await codeFor(who, { client: id });
    const url = new URL(redirectTo);
    expect(url.origin + url.pathname).toBe(CALLBACK);
    expect(url.searchParams.get("state")).toBe("the state");
    expect(url.searchParams.get("iss")).toBe("https://waypost.test");
    const redeemed = await token(form);
    expect(redeemed.status).toBe(200);
    expect(redeemed.headers.get("cache-control")).toBe("no-store");
    expect(redeemed.body).toMatchObject({ expires_in: 3600, resource: "https://waypost.test/mcp" });
    expect(await statusAt("mcp", redeemed.body.access_token)).toBe(200);
    expect(await statusAt("v1", redeemed.body.access_token)).toBe(401);

    const replayed = await token(form);
    expect(replayed.status).toBe(400);
    expect(replayed.body.error).toBe("invalid_grant");
    expect(await statusAt("mcp", redeemed.body.access_token)).toBe(401);
    expect((await refresh(redeemed.body.refresh_token, id)).body.error).toBe("invalid_grant");
  });

  it("redeemed 20 times at once succeed once, and the losers revoke what was won", async () => {
    const who = await person();
    const { form } = await codeFor(who, { client: await client() });
    const replies = await Promise.all(Array.from({ length: 20 }, () => token(form)));
    const won = replies.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const lost of replies.filter(({ status }) => status !== 200)) {
      expect(lost.status).toBe(400);
      expect(lost.body.error).toBe("invalid_grant");
    }
    expect(await statusAt("mcp", won[0]?.body.access_token)).toBe(401);
    expect(await grants.list(who.user)).toEqual([]);
  });

  it("arriving in the user's object at the very same time succeed once", async () => {
    const who = await person();
    const { form } = await codeFor(who, { client: await client() });
    const request = {
      authorization: null,
      contentType: "application/x-www-form-urlencoded",
      body: new URLSearchParams(form).toString(),
    };
    const grant = { user: who.user, grant: grantIn(form.code) };
    const replies = await runInDurableObject(storeOf(who.user), (store) =>
      Promise.all(Array.from({ length: 20 }, () => store.token(grant, request))),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(19).fill(400)]);
  });

  it("need the right verifier, client, redirect target and resource, and stay good for the one who has them", async () => {
    const who = await person();
    const id = await client();
    const other = await client();
    const { form } = await codeFor(who, { client: id });
    const wrong: [Record<string, string>, string][] = [
      [{ code_verifier: "x".repeat(43) }, "invalid_grant"],
      [{ code_verifier: "" }, "invalid_request"],
      [{ client_id: other }, "invalid_grant"],
      [{ client_id: "unknown" }, "invalid_client"],
      [{ redirect_uri: "http://127.0.0.1:7777/other" }, "invalid_grant"],
      [{ resource: "https://waypost.test/v1" }, "invalid_target"],
      [{ resource: "https://elsewhere.test/mcp" }, "invalid_target"],
      [{ scope: "admin" }, "invalid_scope"],
      [{ code: `${form.code.slice(0, -1)}${form.code.endsWith("a") ? "b" : "a"}` }, "invalid_grant"],
    ];
    for (const [change, error] of wrong) {
      const refused = await token({ ...form, ...change });
      expect(refused.body.error, JSON.stringify(change)).toBe(error);
    }
    expect((await token(form)).status).toBe(200);
  });
});

describe("access tokens", () => {
  it("are good for one surface at every configured origin, and count for nothing elsewhere", async () => {
    const who = await person();
    const id = await client();
    const mcp = await connect(who, { client: id });
    const v1 = await connect(who, { client: id, resource: "https://waypost.test/v1" });
    const alias = await connect(who, { client: id, resource: "http://127.0.0.1:8787/v1" });
    for (const [name, bearer, atMcp, atV1] of [
      ["mcp", mcp.access_token, 200, 401],
      ["v1", v1.access_token, 401, 200],
      ["alias", alias.access_token, 401, 200],
      ["refresh token", mcp.refresh_token, 401, 401],
    ] as const) {
      expect([name, await statusAt("mcp", bearer), await statusAt("v1", bearer)]).toEqual([name, atMcp, atV1]);
    }
    expect(await statusAt("mcp", mcp.access_token, "http://127.0.0.1:8787")).toBe(200);
  });

  it("are refused once expired, and changed ones always", async () => {
    const who = await person();
    const { access_token: good } = await connect(who, { client: await client() });
    for (const bad of [`${good}a`, good.slice(0, -1), good.replace(/:.{16}:/, `:${"a".repeat(16)}:`)]) {
      expect(await statusAt("mcp", bad)).toBe(401);
    }
    expect(await statusAt("mcp", good)).toBe(200);
    await runInDurableObject(storeOf(who.user), (_, state) => {
      state.storage.sql.exec("UPDATE entries SET expires_at = ? WHERE name LIKE 'token:%'", Date.now() - 1);
    });
    expect(await statusAt("mcp", good)).toBe(401);
  });

  it("come without a refresh token unless offline_access was allowed", async () => {
    const who = await person();
    const tokens = await connect(who, { client: await client(), scopes: ["usage", "search"] });
    expect(tokens.refresh_token).toBeUndefined();
    expect(tokens.scope).toBe("usage search");
    const [app] = await grants.list(who.user);
    expect(Date.parse(app?.expires_at ?? "") - Date.now()).toBeLessThanOrEqual(3_600_000);
  });
});

describe("refresh", () => {
  it("asked 20 times at once gives every holder a working pair, and only one new one", async () => {
    const who = await person();
    const tokens = await connect(who, { client: await client() });
    const replies = await Promise.all(Array.from({ length: 20 }, () => refresh(tokens.refresh_token, tokens.client)));
    expect(replies.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(new Set(replies.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(await statusAt("mcp", replies[19]?.body.access_token)).toBe(200);
    const next = await Promise.all(replies.map(({ body }) => refresh(body.refresh_token, tokens.client)));
    expect(next.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await statusAt("mcp", next[0]?.body.access_token)).toBe(200);
    // The access token of before lives until it expires: a call under way is not cut off.
    expect(await statusAt("mcp", tokens.access_token)).toBe(200);
  });

  it("with a token used before the grace ended revokes the family, and says so in the log without the token", async () => {
    const who = await person();
    const first = await connect(who, { client: await client() });
    const second = (await refresh(first.refresh_token, first.client)).body;
    const third = (await refresh(second.refresh_token, first.client)).body;
    await endGrace(who.user);
    expect(await statusAt("mcp", third.access_token)).toBe(200);
    const log = vi.spyOn(console, "log");
    const reused = await refresh(first.refresh_token, first.client);
    const lines = log.mock.calls.flat().join("\n");
    log.mockRestore();
    const line = { action: "refresh_reuse", user: who.user, grant: grantIn(first.refresh_token), client: first.client };
    expect(lines).toContain(JSON.stringify({ event: "oauth", ...line }));
    expect(lines).not.toContain(first.refresh_token.split(":")[2]);
    expect([reused.status, reused.body.error]).toEqual([400, "invalid_grant"]);
    expect(await statusAt("mcp", third.access_token)).toBe(401);
    expect((await refresh(third.refresh_token, first.client)).body.error).toBe("invalid_grant");
    expect(await rowsOf(who.user)).toEqual([]);
  });

  it("with a token nobody issued, or from a client that is not authenticated, revokes nothing", async () => {
    const who = await person();
    const confidential = await register({ token_endpoint_auth_method: "client_secret_post" });
    const secret = { client_secret: confidential.body.client_secret };
    const { form } = await codeFor(who, { client: confidential.body.client_id });
    const first = (await token({ ...form, ...secret })).body;
    const second = (await refresh(first.refresh_token, form.client_id, secret)).body;
    await endGrace(who.user);
    const invented = `${who.user}:${grantIn(first.refresh_token)}:${"a".repeat(32)}`;
    expect((await refresh(invented, form.client_id, secret)).body.error).toBe("invalid_grant");
    expect((await refresh(first.refresh_token, form.client_id)).body.error).toBe("invalid_client");
    expect((await refresh(first.refresh_token, form.client_id, { client_secret: "x" })).status).toBe(401);
    expect(await statusAt("mcp", second.access_token)).toBe(200);
    expect((await refresh(second.refresh_token, form.client_id, secret)).status).toBe(200);
  });

  it("repeats its answer only for the same client and request", async () => {
    const who = await person();
    const tokens = await connect(who, { client: await client() });
    const other = await client();
    const renewed = await refresh(tokens.refresh_token, tokens.client);
    expect((await refresh(tokens.refresh_token, other)).body).toEqual({
      error: "invalid_grant",
      error_description: expect.any(String),
    });
    expect((await refresh(tokens.refresh_token, tokens.client, { scope: "usage" })).body.error).toBe("invalid_grant");
    const repeated = await refresh(tokens.refresh_token, tokens.client);
    expect(repeated.body.access_token).toBe(renewed.body.access_token);
    expect((await refresh(renewed.body.refresh_token, tokens.client)).status).toBe(200);
  });

  it("narrows scopes and never widens them", async () => {
    const who = await person();
    const tokens = await connect(who, { client: await client(), scopes: ["usage", "search", "offline_access"] });
    const wider = await refresh(tokens.refresh_token, tokens.client, { scope: "usage admin chat" });
    expect(wider.body.scope).toBe("usage");
    const none = await refresh(wider.body.refresh_token, tokens.client, { scope: "admin" });
    expect(none.body.error).toBe("invalid_scope");
    const all = await refresh(wider.body.refresh_token, tokens.client);
    expect(all.body.scope).toBe("usage search offline_access");
  });

  it("moves the end of an idle grant 30 days ahead, and no further", async () => {
    const who = await person();
    const tokens = await connect(who, { client: await client() });
    const end = async () => Date.parse((await grants.list(who.user))[0]?.expires_at ?? "");
    const month = 30 * 24 * 3_600_000;
    await runInDurableObject(storeOf(who.user), (_, state) => {
      const sql = "UPDATE entries SET value = json_set(value, '$.expiresAt', ?) WHERE name LIKE 'grant:%'";
      state.storage.sql.exec(sql, Math.floor(Date.now() / 1_000) + 600);
    });
    expect((await end()) - Date.now()).toBeLessThanOrEqual(600_000);
    expect((await refresh(tokens.refresh_token, tokens.client)).status).toBe(200);
    expect(Math.abs((await end()) - Date.now() - month)).toBeLessThan(5_000);
  });
});

describe("what is stored", () => {
  it("holds no code, token or answer in the clear, and nothing once all has expired", async () => {
    const who = await person();
    const { form } = await codeFor(who, { client: await client() });
    const secrets = [form.code];
    const first = (await token(form)).body;
    const second = (await refresh(first.refresh_token, form.client_id)).body;
    secrets.push(first.access_token, first.refresh_token, second.access_token, second.refresh_token);
    await statusAt("mcp", second.access_token);
    const rows = JSON.stringify(await rowsOf(who.user));
    expect(rows).toContain(await hashOf(second.access_token));
    for (const secret of secrets) {
      expect(rows).not.toContain(secret);
      expect(rows).not.toContain(secret.split(":")[2]);
    }
    await runInDurableObject(storeOf(who.user), (_, state) => {
      state.storage.sql.exec("UPDATE entries SET expires_at = 1");
    });
    await runDurableObjectAlarm(storeOf(who.user));
    const left = await runInDurableObject(storeOf(who.user), async (_, state) => {
      return (
        (await state.storage.list()).size +
        state.storage.sql.exec("SELECT * FROM sqlite_master WHERE name = 'entries'").toArray().length
      );
    });
    expect(left).toBe(0);
    // And the object works again afterwards.
    expect((await connect(who, { client: form.client_id })).scope).toContain("usage");
  });
});
