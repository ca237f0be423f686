import { env } from "cloudflare:test";
import { afterEach, describe, expect, it } from "vitest";
import { Invitations } from "../../src/auth/invitations.ts";
import { Sessions } from "../../src/auth/sessions.ts";
import type { Env } from "../../src/env.ts";
import { Browser, configureIssuers, issuerOf } from "./upstream_browser.ts";
import { census, identitiesOf, invitation, person, signedIn } from "./upstream_people.ts";

const settings = env as unknown as Env;
const issuer = issuerOf("rs256");

configureIssuers("rs256", "es256", "denied-access_denied");

afterEach(() => {
  settings.SIGN_UPS = undefined;
});

describe("somebody nobody here knows", () => {
  it("gets a page, no user and no session", async () => {
    const before = await census();
    const browser = new Browser();
    const page = await browser.signIn("rs256", "stranger");
    expect(page.status).toBe(403);
    expect(page.body).toContain("No user here signs in with this Issuer rs256 account");
    expect(browser.user).toBeNull();
    expect(await census()).toEqual(before);
  });

  it("is not taken for a user with the same e-mail address", async () => {
    const user = await person();
    await settings.DB.prepare("UPDATE users SET email = ? WHERE id = ?").bind("mallory@people.example", user).run();
    const browser = new Browser();
    expect((await browser.signIn("rs256", "mallory")).status).toBe(403);
    settings.SIGN_UPS = "open";
    await browser.signIn("rs256", "mallory");
    expect(browser.user).toMatch(/^usr_/);
    expect(browser.user).not.toBe(user);
  });

  it("becomes one user, in however many tabs at once, where sign-ups are open", async () => {
    settings.SIGN_UPS = "open";
    const browsers = Array.from({ length: 5 }, () => new Browser());
    const callbacks = await Promise.all(browsers.map((browser) => browser.toCallback("rs256", "many-tabs")));
    await Promise.all(browsers.map((browser, i) => browser.get(callbacks[i] ?? "")));
    expect(new Set(browsers.map(({ user }) => user)).size).toBe(1);
    const found = await settings.DB.prepare(
      "SELECT count(*) AS n FROM users WHERE name = 'many-tabs the person'",
    ).first();
    expect(found).toEqual({ n: 1 });
  });

  it("is not let in as a user who was removed", async () => {
    const user = await person({ issuer, subject: "removed" });
    await settings.DB.prepare("UPDATE users SET deleted_at = ? WHERE id = ?")
      .bind(new Date().toISOString(), user)
      .run();
    for (const open of [undefined, "open"]) {
      settings.SIGN_UPS = open;
      const browser = new Browser();
      expect((await browser.signIn("rs256", "removed")).status).toBeGreaterThanOrEqual(403);
      expect(browser.user).toBeNull();
    }
  });
});

describe("an invitation", () => {
  it("makes the identity its user's, once", async () => {
    const user = await person();
    const secret = await invitation(user);
    const browser = new Browser();
    const page = await browser.signIn("rs256", "invited", { invitation: secret });
    expect([page.status, browser.user]).toEqual([303, user]);
    expect(await identitiesOf(user)).toEqual([{ issuer, subject: "invited", label: "invited" }]);
    expect((await new Browser().begin("rs256", { invitation: secret })).status).toBe(410);
    const again = new Browser();
    await again.signIn("rs256", "invited");
    expect(again.user).toBe(user);
  });

  it("lets one of two people in who hold it", async () => {
    const user = await person();
    const secret = await invitation(user);
    const browsers = [new Browser(), new Browser(), new Browser()];
    const callbacks = await Promise.all(
      browsers.map((browser, i) => browser.toCallback("rs256", `racer-${i}`, { invitation: secret })),
    );
    const pages = await Promise.all(browsers.map((browser, i) => browser.get(callbacks[i] ?? "")));
    expect(pages.map(({ status }) => status).sort()).toEqual([303, 410, 410]);
    expect(await identitiesOf(user)).toHaveLength(1);
    expect(pages.map(({ body }) => body).join()).not.toContain(secret);
  });

  it("is not spent by a sign-in that fails", async () => {
    const user = await person();
    const secret = await invitation(user);
    const page = await new Browser().signIn("denied-access_denied", "invited-2", { invitation: secret });
    expect(page.status).toBe(403);
    expect(page.body).toContain("open your invitation link once more");
    expect(page.body).not.toContain(secret);
    expect((await new Invitations(settings).look(secret))?.id).toBe(user);
  });

  it("does not take an identity from another user, nor its user's place", async () => {
    const known = await person({ issuer, subject: "known" });
    const user = await person();
    const secret = await invitation(user);
    const browser = new Browser();
    const page = await browser.signIn("rs256", "known", { invitation: secret });
    expect(page.status).toBe(409);
    expect(browser.user).toBeNull();
    expect(await identitiesOf(user)).toEqual([]);
    expect(await identitiesOf(known)).toHaveLength(1);
    expect((await new Invitations(settings).look(secret))?.id).toBe(user);
  });
});

describe("another way to sign in", () => {
  it("is added by the signed-in user, who stays signed in", async () => {
    const { browser, user } = await signedIn("linker");
    const session = browser.cookies.get("__Host-waypost-session");
    const page = await browser.signIn("es256", "linker-elsewhere", { link: "1" });
    expect([page.status, page.headers.get("location")]).toEqual([303, "/account"]);
    expect(browser.cookies.get("__Host-waypost-session")).toBe(session);
    expect((await identitiesOf(user)).map((identity) => identity.subject)).toEqual(["linker", "linker-elsewhere"]);
  });

  it("is not added to whoever is signed in by then", async () => {
    const { browser, user } = await signedIn("first");
    const other = await signedIn("second");
    const callback = await browser.toCallback("es256", "shared", { link: "1" });
    browser.cookies.set("__Host-waypost-session", other.browser.cookies.get("__Host-waypost-session") ?? "");
    expect((await browser.get(callback)).status).toBe(400);
    expect(await identitiesOf(user)).toHaveLength(1);
    expect(await identitiesOf(other.user)).toHaveLength(1);
  });

  it("is not added once the session has ended", async () => {
    const { browser, user } = await signedIn("leaver");
    const callback = await browser.toCallback("es256", "left", { link: "1" });
    await new Sessions(settings).endAll(user);
    expect((await browser.get(callback)).status).toBe(400);
    expect(await identitiesOf(user)).toHaveLength(1);
  });

  it("is not taken from another user", async () => {
    const owner = await person({ issuer: issuerOf("es256"), subject: "owned" });
    const { browser, user } = await signedIn("grabber");
    const page = await browser.signIn("es256", "owned", { link: "1" });
    expect(page.status).toBe(409);
    expect(browser.user).toBe(user);
    expect(await identitiesOf(owner)).toHaveLength(1);
    expect(await identitiesOf(user)).toHaveLength(1);
  });

  it("sends somebody who is signed out to sign in first", async () => {
    const page = await new Browser().begin("es256", { link: "1" });
    expect([page.status, page.headers.get("location")]).toEqual([303, "/sign-in?next=%2Faccount"]);
  });
});

describe("sessions", () => {
  it("begin anew with each sign-in, and the old one ends", async () => {
    const { browser, user } = await signedIn("renewer");
    const old = browser.cookies.get("__Host-waypost-session") ?? "";
    const copy = new Browser();
    copy.cookies.set("__Host-waypost-session", old);
    await browser.signIn("rs256", "renewer");
    expect(browser.user).toBe(user);
    expect(browser.cookies.get("__Host-waypost-session")).not.toBe(old);
    const sessions = await new Sessions(settings).list(user);
    expect(sessions.map(({ how }) => how)).toEqual(["rs256"]);
  });
});
