import { SELF } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Accounts } from "../../src/auth/accounts.ts";
import { Directory } from "../../src/auth/directory.ts";
import { authorize } from "../../src/auth/oauth/authorize.ts";
import { type ConnectedApp, Grants } from "../../src/auth/oauth/grants.ts";
import { oauthApi } from "../../src/auth/oauth/server.ts";
import type { Scope } from "../../src/auth/scopes.ts";
import { SESSION_COOKIE, Sessions } from "../../src/auth/sessions.ts";
import { PAGE_HEADERS } from "../../src/web/respond.ts";
import { webRoutes } from "../../src/web/routes.ts";
import { formOf, invitation, Person, settings, signedIn } from "../web/person.ts";
import { ORIGIN, rest } from "./client.ts";

let user: string;
let account: string;
let stranger: string;

beforeEach(async () => {
  ({ user, account } = await new Accounts(settings).create({ name: "Ada", plan: "pro", email: "ada@x.test" }));
  ({ user: stranger } = await new Accounts(settings).create({ name: "Eve", plan: "free" }));
});

/** An app that the user let in and that redeemed its code. */
async function connected(
  of: string,
  on: string,
  scopes: Scope[] = ["chat"],
): Promise<{ app: ConnectedApp; token: string }> {
  const client = { redirect_uris: ["https://app.test/cb"], client_name: "My App", token_endpoint_auth_method: "none" };
  const id = (await rest(null, "POST", "/oauth/register", client)).body.client_id;
  const verifier = "v".repeat(43);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const code_challenge = Buffer.from(digest).toString("base64url");
  const asked = { response_type: "code", client_id: id, redirect_uri: "https://app.test/cb", state: "s" };
  const query = new URLSearchParams({ ...asked, code_challenge, code_challenge_method: "S256" });
  const request = await oauthApi(settings).parseAuthRequest(new Request(`${ORIGIN}/oauth/authorize?${query}`));
  const grant = { request, user: of, account: on, scopes, clientName: "My App", clientDomain: null };
  const code = new URL(await authorize(settings, grant)).searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, redirect_uri: "https://app.test/cb", client_id: id };
  const body = new URLSearchParams({ ...form, code_verifier: verifier }).toString();
  const type = { "Content-Type": "application/x-www-form-urlencoded" };
  const tokens = await rest(null, "POST", "/oauth/token", body, type);
  const [app] = await new Grants(settings).list(of);
  return { app: app as ConnectedApp, token: tokens.body.access_token };
}

const ping = async (token: string) => {
  const message = { jsonrpc: "2.0", id: 1, method: "ping" };
  const accept = { Accept: "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25" };
  return (await rest(token, "POST", "/mcp", message, accept)).status;
};

describe("the account page", () => {
  it("shows the person, their accounts, apps and sessions", async () => {
    await connected(user, account);
    const page = await (await signedIn(user)).get("/account");
    expect(page.status).toBe(200);
    for (const words of ["Ada", "ada@x.test", account, "plan pro", "My App", "this browser", "Disconnect"]) {
      expect(page.text).toContain(words);
    }
    expect(page.text).not.toContain(stranger);
  });

  it("sends whoever is not signed in to sign in", async () => {
    const page = await new Person().get("/account/apps/x/scopes?add=chat");
    expect([page.status, page.to]).toEqual([303, "/sign-in?next=%2Faccount%2Fapps%2Fx%2Fscopes%3Fadd%3Dchat"]);
  });

  it("disconnects an app from its next call on, and no other and nobody else's", async () => {
    const first = await connected(user, account);
    const second = await connected(user, account);
    const path = `/account/apps/${first.app.grant}/revoke`;
    const eve = await signedIn(stranger);
    const token = formOf(await eve.get("/account"), "/account/sign-out-everywhere");
    expect((await eve.post(path, token)).status).toBe(404);
    expect(await ping(first.token)).toBe(200);
    const person = await signedIn(user);
    expect((await person.submit(await person.get("/account"), path)).to).toBe("/account");
    expect(await ping(first.token)).toBe(401);
    expect(await ping(second.token)).toBe(200);
  });

  it("signs out everywhere: all sessions and apps of this user, nobody else's", async () => {
    const mine = await connected(user, account);
    const [one, two, eve] = [await signedIn(user), await signedIn(user), await signedIn(stranger)];
    const done = await one.submit(await one.get("/account"), "/account/sign-out-everywhere");
    expect([done.status, done.to, one.cookies.has(SESSION_COOKIE)]).toEqual([303, "/sign-in", false]);
    expect((await two.get("/account")).status).toBe(303);
    expect((await eve.get("/account")).status).toBe(200);
    expect(await ping(mine.token)).toBe(401);
  });

  it("adds and removes passkeys, never the last way in", async () => {
    const person = new Person();
    const path = await invitation(user);
    await person.usePasskey(await person.get(path), path);
    const ids = async () =>
      (
        await settings.DB.prepare("SELECT id FROM passkeys WHERE user = ? ORDER BY created_at").bind(user).all()
      ).results.map(({ id }) => id as string);
    const [first = ""] = await ids();
    const remove = async (passkey: string) =>
      person.submit(await person.get("/account"), "/account/passkeys/remove", { passkey });
    expect((await remove(first)).status).toBe(409);
    const added = await person.usePasskey(await person.get("/account"), "/account/passkeys", { name: "Ada's <key>" });
    expect([added.status, added.to]).toEqual([303, "/account"]);
    expect((await person.get("/account")).text).toContain("Ada&#39;s &lt;key&gt;");
    const both = await ids();
    expect(both).toHaveLength(2);
    const page = await person.get("/account");
    const removals = both.map((passkey) => person.submit(page, "/account/passkeys/remove", { passkey }));
    expect((await Promise.all(removals)).map(({ status }) => status).sort()).toEqual([303, 409]);
    const eve = await signedIn(stranger);
    const token = formOf(await eve.get("/account"), "/account/sign-out-everywhere");
    const [left = ""] = await ids();
    expect((await eve.post("/account/passkeys/remove", [...token, ["passkey", left]])).status).toBe(404);
    expect(await ids()).toEqual([left]);
  });

  it("counts an identity as a way in only while its provider is configured", async () => {
    const person = new Person();
    const path = await invitation(user);
    await person.usePasskey(await person.get(path), path);
    await new Directory(settings).link(user, { issuer: "https://gone.test", subject: "1", label: "ada" });
    const page = await person.get("/account");
    expect(page.text).toContain("https://gone.test");
    const passkey =
      (await settings.DB.prepare("SELECT id FROM passkeys WHERE user = ?").bind(user).first<string>("id")) ?? "";
    expect((await person.submit(page, "/account/passkeys/remove", { passkey })).status).toBe(409);
  });
});

describe("the link for more scopes", () => {
  it("adds them to the app's grant and its live token", async () => {
    const { app, token } = await connected(user, account, ["chat"]);
    const path = `/account/apps/${app.grant}/scopes`;
    const person = await signedIn(user);
    const page = await person.get(`${path}?add=search,account,admin,nonsense`);
    expect(page.text).toContain("Search and read your documents");
    expect(page.text).toContain("On this account you cannot allow: admin");
    expect((await person.submit(page, path, { scope: ["admin"] })).status).toBe(400);
    expect((await person.submit(page, path)).to).toBe("/account");
    const [after] = await new Grants(settings).list(user);
    expect(after?.scopes.sort()).toEqual(["account", "chat", "search"]);
    expect(await ping(token)).toBe(200);
    expect((await person.get(`${path}?add=chat`)).text).toContain("It has what the link names already");
  });

  it("is not for another user's app, and not after leaving the account", async () => {
    const { app } = await connected(user, account);
    const path = `/account/apps/${app.grant}/scopes`;
    const eve = await signedIn(stranger);
    expect((await eve.get(`${path}?add=search`)).status).toBe(404);
    const token = formOf(await eve.get("/account"), "/account/sign-out-everywhere");
    expect((await eve.post(path, [...token, ["scope", "search"]])).status).toBe(404);
    await settings.DB.prepare("DELETE FROM members WHERE user = ?").bind(user).run();
    expect((await (await signedIn(user)).get(`${path}?add=search`)).status).toBe(404);
  });
});

describe("sessions", () => {
  const cookieFor = (value: string) => new Request(ORIGIN, { headers: { Cookie: `a=b; ${SESSION_COOKIE}=${value}` } });

  it("are kept by hash, named without their secret, and set with every protection", async () => {
    const sessions = new Sessions(settings);
    const set = await sessions.start(user, "passkey");
    expect(set).toMatch(/; Path=\/; Max-Age=2592000; Secure; HttpOnly; SameSite=Lax$/);
    const value = /=([^;]+)/.exec(set)?.[1] ?? "";
    const secret = value.split(".")[1] ?? "";
    const session = await sessions.read(cookieFor(value));
    expect(session).toMatchObject({ user, how: "passkey" });
    const store = settings.AUTH.get(settings.AUTH.idFromName(`user:${user}`));
    const kept = JSON.stringify(await store.names("session:", 10));
    expect(kept).toContain(session?.id);
    expect(kept).not.toContain(secret);
  });

  it("are nobody's with another secret or user, and end with their user", async () => {
    const sessions = new Sessions(settings);
    const value = /=([^;]+)/.exec(await sessions.start(user, "passkey"))?.[1] ?? "";
    const [, secret = ""] = value.split(".");
    for (const wrong of [`${user}.${"a".repeat(40)}`, `${stranger}.${secret}`, secret, `${value}x`, `x${value}`, ""]) {
      expect(await sessions.read(cookieFor(wrong))).toBeNull();
    }
    await settings.DB.prepare("UPDATE users SET deleted_at = ? WHERE id = ?").bind("2026-01-01", user).run();
    expect(await sessions.read(cookieFor(value))).toBeNull();
  });

  it("are renewed once a day, and not once they ended", async () => {
    const sessions = new Sessions(settings);
    const person = await signedIn(user);
    const store = settings.AUTH.get(settings.AUTH.idFromName(`user:${user}`));
    const [key] = ((await store.names("session:", 1)) as { keys: { name: string }[] }).keys;
    const old = { ...JSON.parse((await store.read(key?.name ?? "")) ?? ""), fresh_at: "2026-01-01T00:00:00.000Z" };
    await store.write(key?.name ?? "", JSON.stringify(old), { expiresAt: Date.now() + 60_000, metadata: old });
    const page = await person.get("/account");
    expect(page.headers.get("set-cookie")).toContain(SESSION_COOKIE);
    expect((await person.get("/account")).headers.get("set-cookie")).toBeNull();
    const [renewed] = await sessions.list(user);
    expect(Date.now() - Date.parse(renewed?.fresh_at ?? "")).toBeLessThan(60_000);
    expect(await sessions.endAll(user)).toBe(1);
    expect(await store.renew(key?.name ?? "", "{}")).toBe(false);
    expect(await store.read(key?.name ?? "")).toBeNull();
    expect((await person.get("/account")).status).toBe(303);
  });
});

describe("open sign-ups", () => {
  beforeAll(() => {
    settings.SIGN_UPS = "open";
    return () => {
      settings.SIGN_UPS = "";
    };
  });

  it("make a user with an account of their own on the free plan", async () => {
    const person = new Person();
    const page = await person.get("/sign-up?next=/account");
    const done = await person.usePasskey(page, "/sign-up", { name: "  Grace \u202e  Hopper " });
    expect([done.status, done.to]).toEqual([303, "/account"]);
    const account = await person.get("/account");
    expect(account.text).toContain("<bdi>Grace Hopper</bdi>");
    expect(account.text).toContain("plan free, owner");
    expect((await new Person().usePasskey(await person.get("/account"), "/account/passkeys")).status).toBe(403);
  });

  it("need a name", async () => {
    const person = new Person();
    const refused = await person.usePasskey(await person.get("/sign-up"), "/sign-up", { name: " \u200b " });
    expect(refused.status).toBe(400);
  });
});

describe("every page", () => {
  const samples = webRoutes.map(({ method, path }) => ({ method, path: path.replace(/:\w+/g, "x") }));
  const pages = samples.filter(({ path }) => !path.startsWith("/assets/"));

  it.each(pages)("$method $path refuses a bearer, whoever is signed in", async ({ method, path }) => {
    const person = await signedIn(user);
    const headers = { Authorization: `Bearer wp_${"a".repeat(16)}`, Origin: ORIGIN, "Sec-Fetch-Site": "same-origin" };
    const reply = method === "GET" ? await person.get(path, headers) : await person.post(path, [], headers);
    expect(reply.status).toBe(401);
    expect(JSON.parse(reply.text).code).toBe("unauthenticated");
  });

  it.each(pages.filter(({ method }) => method === "POST"))("POST $path is refused when forged", async ({ path }) => {
    const person = await signedIn(user);
    const page = await person.get("/account");
    const token = formOf(page, "/account/sign-out-everywhere");
    const forged = [
      person.post(path, []),
      person.post(path, [["form_token", "0".repeat(64)]]),
      person.post(path, [...token, ...token]),
      person.post(path, token, { "Sec-Fetch-Site": "cross-site" }),
      person.post(path, token, { "Sec-Fetch-Site": "none" }),
      person.post(path, token, { Origin: "https://evil.test" }),
      (await signedIn(user)).post(path, token),
    ];
    for (const reply of await Promise.all(forged)) expect(reply.status).toBe(403);
    expect((await person.get("/account")).status).toBe(200);
  });

  it("refuses a form without any sign of where it came from, and a huge one", async () => {
    const person = await signedIn(user);
    const token = formOf(await person.get("/account"), "/account/sign-out-everywhere");
    const body = new URLSearchParams(token).toString();
    const headers = {
      "Content-Type": "application/x-www-form-urlencoded",
      Cookie: `${SESSION_COOKIE}=${person.cookies.get(SESSION_COOKIE)}`,
    };
    const bare = await SELF.fetch(`${ORIGIN}/sign-out`, { method: "POST", headers, body, redirect: "manual" });
    expect(bare.status).toBe(403);
    const old = { ...headers, Origin: ORIGIN };
    const before2020 = await SELF.fetch(`${ORIGIN}/sign-out`, {
      method: "POST",
      headers: old,
      body,
      redirect: "manual",
    });
    expect(before2020.status).toBe(303);
    expect((await person.post("/sign-out", [["x", "y".repeat(70_000)]])).status).toBe(413);
  });

  it.each(["/", "/sign-in", "/claim/x", "/account", "/sign-up", "/oauth/authorize"])(
    "%s has the headers",
    async (path) => {
      const page = await (await signedIn(user)).get(path);
      for (const [name, value] of Object.entries(PAGE_HEADERS)) {
        if (page.status === 303 && name !== "Cache-Control" && name !== "Referrer-Policy") continue;
        const tied = name === "Cross-Origin-Opener-Policy" && !["/", "/account"].includes(path);
        expect([name, page.headers.get(name)]).toEqual([name, tied ? "unsafe-none" : value]);
      }
      expect(page.headers.get("x-request-id")).toMatch(/^req_/);
    },
  );

  it.each(samples.filter(({ method }) => method === "GET"))(
    "$path answers HEAD as GET, without a body",
    async ({ path }) => {
      const [head, get] = await Promise.all(
        ["HEAD", "GET"].map((method) => SELF.fetch(`${ORIGIN}${path}`, { method, redirect: "manual" })),
      );
      expect(head?.status).toBe(get?.status);
      expect(await head?.text()).toBe("");
      await get?.text();
    },
  );

  it("says which methods there are", async () => {
    const reply = await rest(null, "DELETE", "/account");
    expect([reply.status, reply.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });
});
