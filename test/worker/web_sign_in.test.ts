import { SELF } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import { Accounts } from "../../src/auth/accounts.ts";
import { Invitations } from "../../src/auth/invitations.ts";
import { SESSION_COOKIE } from "../../src/auth/sessions.ts";
import { device } from "../web/authenticator.ts";
import { formOf, invitation, Person, settings } from "../web/person.ts";
import { ORIGIN } from "./client.ts";

let user: string;

beforeAll(async () => {
  ({ user } = await new Accounts(settings).create({ name: "Ada <b>&", plan: "free" }));
});

/** A person who has claimed the user. */
async function claimed(): Promise<Person> {
  const person = new Person();
  const path = await invitation(user);
  const done = await person.usePasskey(await person.get(path), path);
  expect([done.status, done.to, done.text]).toEqual([303, "/account", ""]);
  return person;
}

describe("a claim link", () => {
  it("shows whose account it is and hands it over with a passkey", async () => {
    const path = await invitation(user);
    const person = new Person();
    const page = await person.get(path);
    expect(page.status).toBe(200);
    expect(page.text).toContain("Ada &lt;b&gt;&amp;");
    expect(page.headers.get("referrer-policy")).toBe("no-referrer");
    const done = await person.usePasskey(page, path);
    expect([done.status, done.to]).toEqual([303, "/account"]);
    const account = await person.get("/account");
    expect(account.status).toBe(200);
    expect(account.text).toContain("with a passkey");
  });

  it("is used up by that, and not by looking or by a failed try", async () => {
    const path = await invitation(user);
    const person = new Person();
    await person.get(path);
    await SELF.fetch(`${ORIGIN}${path}`, { method: "HEAD" });
    const page = await person.get(path);
    const refused = await person.submit(page, path, { credential: "{}" });
    expect(refused.status).toBe(400);
    person.device = device("https://evil.test");
    expect((await person.usePasskey(await person.get(path), path)).status).toBe(403);
    person.device = device(ORIGIN);
    expect((await person.usePasskey(await person.get(path), path)).status).toBe(303);
    const again = await new Person().get(path);
    expect(again.status).toBe(410);
    expect(again.text).toContain("This link is not valid any more");
  });

  it("lets one of two people in who follow it at once", async () => {
    const path = await invitation(user);
    const people = [new Person(), new Person(), new Person()];
    const pages = await Promise.all(people.map((person) => person.get(path)));
    const done = await Promise.all(people.map((person, i) => person.usePasskey(pages[i] as never, path)));
    expect(done.map(({ status }) => status).sort()).toEqual([303, 410, 410]);
    expect(people.filter(({ cookies }) => cookies.has(SESSION_COOKIE))).toHaveLength(1);
  });

  it("ends the user's other links", async () => {
    const other = await invitation(user);
    await claimed();
    expect((await new Person().get(other)).status).toBe(410);
  });

  it("says the same of a wrong, an expired and a removed user's link", async () => {
    const gone = await new Accounts(settings).create({ name: "Gone", plan: "free" });
    const links = [
      "/claim/nonsense",
      `/claim/${"a".repeat(40)}`,
      await invitation(user, -1),
      await invitation(gone.user),
    ];
    await settings.DB.prepare("UPDATE users SET deleted_at = ? WHERE id = ?").bind("2026-01-01", gone.user).run();
    const pages = await Promise.all(links.map((path) => new Person().get(path)));
    const requestId = /req_\w+/g;
    expect(new Set(pages.map(({ text }) => text.replace(requestId, ""))).size).toBe(1);
    expect(pages.map(({ status }) => status)).toEqual([410, 410, 410, 410]);
    expect(await new Invitations(settings).use("a".repeat(40))).toBeNull();
  });
});

describe("signing in with a passkey", () => {
  it("opens a new session each time, and goes where it was asked to", async () => {
    const person = await claimed();
    const first = person.cookies.get(SESSION_COOKIE);
    const out = await person.submit(await person.get("/account"), "/sign-out");
    expect([out.status, out.to]).toEqual([303, "/sign-in"]);
    expect(person.cookies.has(SESSION_COOKIE)).toBe(false);
    const page = await person.get("/sign-in?next=%2Faccount%3Fa%3D1");
    const done = await person.usePasskey(page, "/sign-in/passkey");
    expect([done.status, done.to]).toEqual([303, "/account?a=1"]);
    expect(person.cookies.get(SESSION_COOKIE)).not.toBe(first);
    expect((await person.get("/sign-in?next=/account?b=2")).to).toBe("/account?b=2");
  });

  it("takes an answer once, in the browser that asked, for what it asked", async () => {
    const person = await claimed();
    person.cookies.clear();
    const page = await person.get("/sign-in");
    const other = new Person();
    const elsewhere = await other.get("/sign-in");
    const stolen = (await person.answer(page, "/sign-in/passkey")) as string;
    expect((await other.submit(elsewhere, "/sign-in/passkey", { credential: stolen })).status).toBe(403);
    const credential = (await person.answer(page, "/sign-in/passkey")) as string;
    expect((await person.submit(page, "/sign-in/passkey", { credential })).status).toBe(303);
    person.cookies.delete(SESSION_COOKIE);
    expect((await person.submit(page, "/sign-in/passkey", { credential })).status).toBe(403);
  });

  it("takes no answer that was asked for something else", async () => {
    const person = await claimed();
    const added = (await person.answer(await person.get("/account"), "/account/passkeys")) as string;
    const path = await invitation(user);
    const refused = await person.submit(await person.get(path), path, { credential: added });
    expect(refused.status).toBe(403);
    expect((await new Person().get(path)).status).toBe(200);
  });

  it("is limited by network", async () => {
    const person = new Person();
    const fields = formOf(await person.get("/sign-in"), "/sign-in/passkey");
    const ask = () => person.post("/sign-in/passkey/options", fields, { "CF-Connecting-IP": "192.0.2.1" });
    const asked = await Promise.all(Array.from({ length: 121 }, ask));
    const refused = asked.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(1);
    expect(Number(refused[0]?.headers.get("retry-after"))).toBeGreaterThan(0);
  });

  it.each([
    ["of another origin", () => device("https://evil.test", { rpId: "waypost.test" })],
    ["of a look-alike host", () => device("https://waypost.test.evil.test")],
    ["of a host below", () => device("https://x.waypost.test", { rpId: "waypost.test" })],
    ["of an alias that is no name", () => device("http://127.0.0.1:8787")],
    ["without user verification", () => device(ORIGIN, { userVerified: false })],
  ])("refuses a passkey %s", async (_, made) => {
    const person = await claimed();
    person.cookies.clear();
    person.device = { ...made(), credentials: person.device.credentials };
    const refused = await person.usePasskey(await person.get("/sign-in"), "/sign-in/passkey");
    expect(refused.status).toBe(403);
    expect(person.cookies.has(SESSION_COOKIE)).toBe(false);
  });

  it("refuses a copied device, whose counter is behind, and unknown passkeys", async () => {
    const person = await claimed();
    const signIn = async () => {
      person.cookies.clear();
      return (await person.usePasskey(await person.get("/sign-in"), "/sign-in/passkey")).status;
    };
    expect(await signIn()).toBe(303);
    expect(await signIn()).toBe(303);
    const [credential] = person.device.credentials;
    if (credential) credential.counter -= 2;
    expect(await signIn()).toBe(403);
    expect(await signIn()).toBe(403);
    expect(await signIn()).toBe(303);
    if (credential) credential.id = "AAAA";
    expect(await signIn()).toBe(403);
  });

  it("takes synced passkeys, which do not count", async () => {
    const person = await claimed();
    person.device.step = 0;
    for (let i = 0; i < 2; i++) {
      person.cookies.clear();
      expect((await person.usePasskey(await person.get("/sign-in"), "/sign-in/passkey")).status).toBe(303);
    }
  });

  it("says where to go at an address that can have no passkeys", async () => {
    const response = await SELF.fetch("http://127.0.0.1:8787/sign-in?next=/account");
    const text = await response.text();
    expect(text).toContain("Passkeys do not work at this address");
    expect(text).toContain('href="https://waypost.test/sign-in?next=/account"');
    expect(text).not.toContain("data-passkey");
  });
});

describe("next", () => {
  it.each([
    "https://evil.test/",
    "//evil.test/",
    "/\\evil.test/",
    "/\t/evil.test/",
    "/.//evil.test/",
    "/a/..//evil.test",
    "/%2e//evil.test",
    "\\\\evil.test",
    "javascript:alert(1)",
    " //evil.test",
    "/\n//evil.test",
    "account",
    "",
    `/${"a".repeat(9_000)}`,
  ])("leads nowhere else: %j", async (next) => {
    const person = await claimed();
    const page = await person.get(`/sign-in?next=${encodeURIComponent(next)}`);
    expect([page.status, page.to]).toEqual([303, "/account"]);
  });
});

describe("sign-ups", () => {
  it("are closed unless the operator opens them", async () => {
    const person = new Person();
    expect((await person.get("/sign-up")).status).toBe(403);
    const page = await person.get("/sign-in");
    expect(page.text).toContain("New users need an invitation");
    const token = formOf(page, "/sign-in/passkey");
    expect((await person.post("/sign-up/options", [...token, ["name", "Eve"]])).status).toBe(403);
    expect((await person.post("/sign-up", [...token, ["credential", "{}"]])).status).toBe(403);
  });
});
