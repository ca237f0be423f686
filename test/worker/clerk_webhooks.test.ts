import { env } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { Accounts } from "../../src/auth/accounts.ts";
import { purgeDeliveries } from "../../src/auth/clerk/sync.ts";
import { externalAccount, externalUser } from "../../src/auth/external.ts";
import { enroll } from "../../src/auth/jwt/members.ts";
import { Sessions } from "../../src/auth/sessions.ts";
import { configureClerk, deletion, deliver, SECRET, sign, userEvent } from "./clerk_svix.ts";
import { rest } from "./client.ts";
import { directorySize, newKey, publishing, type SigningKey, type TestIssuer } from "./jwt_issuer.ts";

let key: SigningKey;
let clerk: TestIssuer;
let made = 0;

beforeAll(async () => {
  key = await newKey("RS256", "ins_1");
  clerk = await publishing(key);
  configureClerk({ issuer: clerk.issuer, secret: SECRET });
});
afterEach(() => configureClerk({ issuer: clerk.issuer, secret: SECRET }));

const newSubject = () => `user_${++made}`;
const session = (sub: string) => clerk.token(key, { aud: undefined, sid: "sess_1", sub });
const planOf = async (sub: string) => (await rest(await session(sub), "GET", "/v1/usage")).body.plan;

/** The user as the directory has them. */
async function stored(sub: string) {
  return env.DB.prepare(
    `SELECT u.name, u.email, i.label, a.plan, m.role FROM users u JOIN members m ON m.user = u.id JOIN accounts a ON a.id = m.account
     JOIN identities i ON i.user = u.id WHERE u.id = ? AND a.id = ? AND i.issuer = ? AND i.subject = ?`,
  )
    .bind(
      await externalUser(clerk.issuer, sub),
      await externalAccount(clerk.issuer, "personal", sub),
      clerk.issuer,
      sub,
    )
    .first();
}

describe("Clerk's webhook", () => {
  it("brings a new user into the directory, as their tokens will name them", async () => {
    const sub = newSubject();
    const reply = await deliver(userEvent("user.created", sub, { public_metadata: { plan: "pro" } }));
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({ outcome: "applied" });
    const grace = { name: "Grace Hopper", email: "grace@example.test", label: "grace@example.test" };
    expect(await stored(sub)).toEqual({ ...grace, plan: "pro", role: "owner" });
    const before = await directorySize();
    expect(await planOf(sub)).toBe("pro");
    expect(await directorySize()).toEqual(before);
  });

  it("follows changes of name, address and plan; a plan that does not exist here changes nothing", async () => {
    const sub = newSubject();
    const at = Date.now() - 60_000;
    await deliver(userEvent("user.created", sub, { updated_at: at }));
    expect(await planOf(sub)).toBe("free");
    const changed = { first_name: "Ada", last_name: null, public_metadata: { plan: "basic" }, updated_at: at + 10 };
    await deliver(userEvent("user.updated", sub, { ...changed, primary_email_address_id: "idn_1" }));
    expect(await stored(sub)).toMatchObject({ name: "Ada", email: "old@example.test", plan: "basic" });
    expect(await planOf(sub)).toBe("basic");
    const bare = {
      first_name: null,
      last_name: null,
      username: "ada",
      email_addresses: [],
      primary_email_address_id: null,
    };
    await deliver(userEvent("user.updated", sub, { ...bare, public_metadata: { plan: "gold" }, updated_at: at + 20 }));
    expect(await stored(sub)).toMatchObject({ name: "ada", email: null, plan: "basic" });
    expect(await planOf(sub)).toBe("basic");
  });

  it("takes an update before the creation, and lets nothing older undo it", async () => {
    const sub = newSubject();
    const at = Date.now() - 60_000;
    const pro = { first_name: "New", last_name: "Name", public_metadata: { plan: "pro" }, updated_at: at + 10 };
    expect((await deliver(userEvent("user.updated", sub, pro))).body).toEqual({ outcome: "applied" });
    const late = await deliver(userEvent("user.created", sub, { public_metadata: { plan: "basic" }, updated_at: at }));
    expect(late.body).toEqual({ outcome: "outdated" });
    expect(await stored(sub)).toMatchObject({ name: "New Name", plan: "pro" });
    expect(await planOf(sub)).toBe("pro");
  });

  it("ends at the newest state in whatever order the events come, also all at once", async () => {
    const sub = newSubject();
    const at = Date.now() - 60_000;
    const plans = ["free", "basic", "pro", "enterprise"];
    const events = [3, 0, 2, 1, 3, 0].map((i) =>
      userEvent("user.updated", sub, {
        first_name: `Name${i}`,
        public_metadata: { plan: plans[i] },
        updated_at: at + i,
      }),
    );
    const replies = await Promise.all(events.map((event) => deliver(event)));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
    expect(await stored(sub)).toMatchObject({ name: "Name3 Hopper", plan: "enterprise" });
    expect(await planOf(sub)).toBe("enterprise");
  });

  it("acts on a delivery once", async () => {
    const sub = newSubject();
    const id = `msg_${crypto.randomUUID()}`;
    expect((await deliver(userEvent("user.created", sub), { id })).body).toEqual({ outcome: "applied" });
    await env.DB.prepare("UPDATE users SET name = 'kept' WHERE id = ?")
      .bind(await externalUser(clerk.issuer, sub))
      .run();
    const again = await deliver(userEvent("user.created", sub, { first_name: "Other" }), { id });
    expect(again.status).toBe(200);
    expect(again.body).toEqual({ outcome: "repeated" });
    expect(await stored(sub)).toMatchObject({ name: "kept" });
  });

  it("forgets deliveries after a week", async () => {
    await deliver(userEvent("user.created", newSubject()), { id: "msg_of_today" });
    await env.DB.prepare("INSERT INTO webhook_deliveries VALUES ('msg_old', '2020-01-01T00:00:00.000Z')").run();
    expect(await purgeDeliveries(env as never)).toBe(1);
    const { results } = await env.DB.prepare(
      "SELECT id FROM webhook_deliveries WHERE id IN ('msg_old', 'msg_of_today')",
    ).all();
    expect(results).toEqual([{ id: "msg_of_today" }]);
  });

  it("answers 200 to what does not concern it", async () => {
    const before = await directorySize();
    for (const type of ["session.created", "user.createdAtLast", "organization.deleted"]) {
      const reply = await deliver({ type, data: { id: "x" } });
      expect(reply.status).toBe(200);
      expect(reply.body).toEqual({ outcome: "ignored" });
    }
    expect(await directorySize()).toEqual(before);
  });
});

describe("A delivery is refused", () => {
  const event = userEvent("user.created", "user_forged");
  const text = JSON.stringify(event);
  const now = () => Math.floor(Date.now() / 1_000);
  const other = `whsec_${btoa("another secret, of another endpoint")}`;

  const forgeries: [string, () => Promise<{ status: number; body: { code: string } }>][] = [
    ["signed with another secret", () => deliver(event, { secret: other })],
    ["unsigned", () => deliver(event, { signature: null })],
    ["with an empty signature", () => deliver(event, { signature: "v1," })],
    ["with nonsense for a signature", () => deliver(event, { signature: "v1" })],
    ["whose body was changed", () => deliver(event, { body: text.replace("Grace", "Mallory") })],
    ["older than five minutes", () => deliver(event, { timestamp: now() - 301 - 5 })],
    ["from the future", () => deliver(event, { timestamp: now() + 301 + 5 })],
    ["whose time was renewed", async () => resent({ timestamp: now() - 1_000 }, { timestamp: now() })],
    ["whose id was changed", async () => resent({ id: "msg_a" }, { id: "msg_b" })],
    ["signed in a version that is not ours", async () => deliver(event, { signature: await versioned("v2") })],
    [
      "whose signature is endless",
      async () => deliver(event, { signature: "v1,AAAA ".repeat(1_000) + (await versioned("v1")) }),
    ],
  ];

  async function versioned(version: string): Promise<string> {
    return (await sign(SECRET, "msg", now(), text)).replace("v1", version);
  }
  async function resent(signed: { id?: string; timestamp?: number }, sent: { id?: string; timestamp?: number }) {
    const base = { id: "msg_resent", timestamp: now() };
    const { id, timestamp } = { ...base, ...signed };
    return deliver(event, { ...base, ...sent, signature: await sign(SECRET, id, timestamp, text) });
  }

  it.each(forgeries)("%s", async (_, send) => {
    const before = await directorySize();
    const reply = await send();
    expect(reply.status).toBe(401);
    expect(reply.body.code).toBe("unauthenticated");
    expect(await directorySize()).toEqual(before);
    const noted = await env.DB.prepare(
      "SELECT 1 FROM webhook_deliveries WHERE id LIKE 'msg_resent' OR id IN ('msg_a', 'msg_b')",
    ).first();
    expect(noted).toBeNull();
  });

  it("but not for having several signatures, one of them good, as when the secret is being changed", async () => {
    const timestamp = now();
    const good = await sign(SECRET, "msg_two", timestamp, text);
    const signature = `v1a,AAAA ${await sign(other, "msg_two", timestamp, text)} ${good}`;
    expect((await deliver(event, { id: "msg_two", timestamp, signature })).status).toBe(200);
  });

  it("with 400 when it is signed but not of its form", async () => {
    const before = await directorySize();
    expect((await deliver("not json")).body.code).toBe("invalid_json");
    for (const data of [null, {}, { id: "" }, { id: "user_x" }, { id: "user_x", updated_at: "now" }]) {
      const reply = await deliver({ type: "user.updated", data });
      expect(reply.status).toBe(400);
      expect(reply.body.code).toBe("invalid_input");
    }
    expect((await deliver({ type: "user.deleted", data: {} })).status).toBe(400);
    expect((await deliver([])).status).toBe(400);
    expect(await directorySize()).toEqual(before);
  });

  it("with 413 when it is too large, before its signature is looked at", async () => {
    expect((await deliver("x".repeat(256 * 1024 + 1), { signature: null })).status).toBe(413);
  });

  it("with 503 and the name of the setting when the server is not set up for it", async () => {
    for (const [settings, name] of [
      [{ issuer: clerk.issuer }, /CLERK_WEBHOOK_SECRET/],
      [{ secret: SECRET }, /CLERK_ISSUER/],
      [{ issuer: clerk.issuer, secret: "whsec_" }, /CLERK_WEBHOOK_SECRET/],
    ] as const) {
      configureClerk(settings);
      const reply = await deliver(event);
      expect(reply.status).toBe(503);
      expect(reply.body.code).toBe("not_configured");
      expect(reply.body.detail).toMatch(name);
      expect(JSON.stringify(reply.body)).not.toContain(SECRET);
    }
  });
});

describe("A user whom Clerk deleted", () => {
  it("is shut out at once, with every credential, for good", async () => {
    const sub = newSubject();
    await deliver(userEvent("user.created", sub));
    const token = await session(sub);
    const organization = await clerk.token(key, { aud: undefined, sid: "sess_1", sub, o: { id: "org_shared" } });
    const colleague = await clerk.token(key, {
      aud: undefined,
      sid: "sess_1",
      sub: "user_colleague",
      o: { id: "org_shared" },
    });
    const usage = async (credential: string) => (await rest(credential, "GET", "/v1/usage")).status;
    const user = await externalUser(clerk.issuer, sub);
    const account = await externalAccount(clerk.issuer, "personal", sub);
    const spec = { name: "mine", user, scopes: ["usage"] as const, expiresAt: null, limits: null };
    const { api_key: apiKey } = await new Accounts(env as never).issueKey(account, spec);
    const sessions = new Sessions(env as never);
    await sessions.start(user, "passkey");
    for (const credential of [token, organization, colleague, apiKey]) expect(await usage(credential)).toBe(200);

    expect((await deliver(deletion(sub))).body).toEqual({ outcome: "applied" });

    for (const credential of [token, organization, apiKey, await session(sub)])
      expect(await usage(credential)).toBe(401);
    expect(await usage(colleague)).toBe(200);
    expect(await sessions.list(user)).toEqual([]);
    expect(await new Accounts(env as never).listKeys(account)).toMatchObject([
      { user, revoked_at: expect.any(String) },
    ]);
    const row = await env.DB.prepare("SELECT name, email, deleted_at FROM users WHERE id = ?").bind(user).first();
    expect(row).toEqual({ name: "removed user", email: null, deleted_at: expect.any(String) });
    expect(await stored(sub)).toBeNull();

    const late = await deliver(userEvent("user.updated", sub, { updated_at: Date.now() + 1_000 }));
    expect(late.body).toEqual({ outcome: "outdated" });
    expect(await stored(sub)).toBeNull();
    expect((await rest(await session(sub), "GET", "/v1/usage")).status).toBe(401);
    // Another account of theirs, which nobody has seen before, is not opened either.
    const elsewhere = await clerk.token(key, { aud: undefined, sid: "sess_1", sub, o: { id: "org_elsewhere" } });
    const before = await directorySize();
    expect((await rest(elsewhere, "GET", "/v1/usage")).body.detail).toMatch(/removed/);
    expect(await directorySize()).toEqual(before);
  });

  it("stays away when the deletion comes first, or was told before", async () => {
    const sub = newSubject();
    expect((await deliver(deletion(sub))).body).toEqual({ outcome: "applied" });
    expect((await deliver(deletion(sub))).body).toEqual({ outcome: "applied" });
    expect((await deliver(userEvent("user.created", sub))).body).toEqual({ outcome: "outdated" });
    expect((await rest(await session(sub), "GET", "/v1/usage")).status).toBe(401);
  });

  it("is not let in by a call that was under way when they were removed", async () => {
    const sub = newSubject();
    const user = await externalUser(clerk.issuer, sub);
    const account = await externalAccount(clerk.issuer, "personal", sub);
    await deliver(deletion(sub));
    const names = { accountName: sub, userName: sub, email: null, plan: "free" };
    const late = enroll(env as never, { account, user, ...names, identity: { issuer: clerk.issuer, subject: sub } });
    await expect(late).rejects.toMatchObject({ code: "unauthenticated" });
    expect(await stored(sub)).toBeNull();
  });

  it("stays away when everything comes at once", async () => {
    for (let round = 0; round < 10; round++) {
      const sub = newSubject();
      const token = await session(sub);
      await Promise.all([
        deliver(userEvent("user.created", sub)),
        rest(token, "GET", "/v1/usage"),
        deliver(deletion(sub)),
        deliver(userEvent("user.updated", sub)),
        rest(token, "GET", "/v1/usage"),
      ]);
      expect((await rest(token, "GET", "/v1/usage")).status).toBe(401);
    }
  });
});
