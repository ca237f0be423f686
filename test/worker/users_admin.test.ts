import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { Directory } from "../../src/auth/directory.ts";
import { Invitations } from "../../src/auth/invitations.ts";
import { Sessions } from "../../src/auth/sessions.ts";
import type { Env } from "../../src/env.ts";
import { account, owner, rest } from "./client.ts";
import { client, connect } from "./oauth_flow.ts";
import { refused, send } from "./refusal.ts";

const settings = env as unknown as Env;
let admin: string;
beforeAll(async () => {
  admin = await owner();
});

async function everyone(limit: number) {
  const users: { id: string; accounts: { account: string }[] }[] = [];
  let cursor: string | null = null;
  do {
    const next: string = cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await rest(admin, "GET", `/v1/admin/users?limit=${limit}${next}`);
    expect(status).toBe(200);
    users.push(...body.users);
    cursor = body.next;
  } while (cursor !== null);
  return users;
}

describe("the operator's list of users", () => {
  it("has each once, page by page, with accounts, roles, plans and the last sign-in", async () => {
    const made = await Promise.all(Array.from({ length: 7 }, () => account("basic")));
    const inOne = await everyone(50);
    const users = await everyone(3);
    expect(users).toEqual(inOne);
    expect(new Set(users.map(({ id }) => id)).size).toBe(users.length);
    const of = (id: string) => users.find(({ accounts }) => accounts.some(({ account }) => account === id));
    for (const { account: id } of made) {
      const membership = { account: id, name: "test", plan: "basic", role: "owner", operator: false };
      expect(of(id)).toMatchObject({
        name: "test",
        email: null,
        deleted_at: null,
        last_sign_in_at: null,
        accounts: [membership],
      });
    }
    const user = of(made[0]?.account ?? "")?.id ?? "";
    await new Sessions(settings).start(user, "passkey");
    const again = (await everyone(50)).find(({ id }) => id === user);
    expect(again).toMatchObject({ last_sign_in_at: expect.stringMatching(/^\d{4}-/) });
  });

  it("is nobody else's, and its pages are not made up", async () => {
    const who = await account("enterprise", { scopes: ["account", "usage"] });
    for (const [method, path] of [
      ["GET", "/v1/admin/users"],
      ["POST", `/v1/admin/accounts/${who.account}/invitation`],
    ] as const) {
      const call = () => send(path, { key: who.key, method, ...(method === "POST" ? { body: "{}" } : {}) });
      expect((await refused(who, call, "insufficient_scope")).required_scope).toBe("admin");
    }
    for (const query of ["cursor=x", "limit=51", "limit=0", "cursor=2026-01-01T00:00:00.000Z~a'%20OR%201"]) {
      await refused(who, () => send(`/v1/admin/users?${query}`, { key: admin, method: "GET" }), "invalid_input");
    }
  });

  it("is not opened by a token that says `admin` in another account", async () => {
    const who = await account("enterprise");
    const { user } = (await rest(admin, "GET", `/v1/admin/accounts/${who.account}`)).body;
    const person = { user, account: who.account };
    const tokens = await connect(person, {
      client: await client(),
      resource: "https://waypost.test/v1",
      scopes: ["admin", "usage"],
    });
    const key = tokens.access_token;
    expect((await rest(key, "GET", "/v1/me")).body.scopes).not.toContain("admin");
    await refused({ ...who, key }, () => send("/v1/admin/users", { key, method: "GET" }), "insufficient_scope", [key]);
  });
});

describe("an invitation", () => {
  it("is a link that works once, for the account's owner", async () => {
    const who = await account();
    const made = await rest(admin, "POST", `/v1/admin/accounts/${who.account}/invitation`, { expires_in: 3_600 });
    expect(made.status).toBe(200);
    expect(made.body.url).toMatch(/^https:\/\/waypost\.test\/claim\/[0-9a-z]{40}$/);
    const secret = made.body.url.split("/").at(-1);
    const invitations = new Invitations(settings);
    expect((await invitations.use(secret))?.id).toBe(made.body.user);
    expect(await invitations.use(secret)).toBeNull();
  });

  it("is not given to the owner of the server, nor for an account that does not exist", async () => {
    const who = await account();
    const own = (await rest(admin, "GET", "/v1/me")).body.account.id;
    const invite = (id: string) => send(`/v1/admin/accounts/${id}/invitation`, { key: admin, body: "{}" });
    await refused(who, () => invite(own), "conflict", [admin]);
    await refused(who, () => invite("0000000000000000"), "not_found", [admin]);
  });
});

describe("a user who is removed", () => {
  it("has no way in left and no name, stays on record, and can be removed again", async () => {
    const who = await account();
    const { user } = (await rest(admin, "GET", `/v1/admin/accounts/${who.account}`)).body;
    const directory = new Directory(settings);
    const identity = { issuer: "https://issuer.example", subject: "s-1", label: "pat@example.org" };
    await directory.link(user, identity);
    await directory.rename(user, { name: "Pat", email: "pat@example.org" });
    expect((await directory.userOf(identity))?.email).toBe("pat@example.org");
    await directory.removeUser(user);
    const removed = (await everyone(50)).find(({ id }) => id === user);
    await directory.removeUser(user);
    expect((await everyone(50)).find(({ id }) => id === user)).toEqual(removed);
    expect(removed).toMatchObject({ name: "removed user", email: null, deleted_at: expect.any(String) });
    expect([await directory.user(user), await directory.userOf(identity), await directory.identitiesOf(user)]).toEqual([
      null,
      null,
      [],
    ]);
  });
});
