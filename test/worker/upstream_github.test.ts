import { env } from "cloudflare:test";
import { beforeEach, describe, expect, inject, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { GITHUB_CLIENT_SECRET } from "../upstream/identity_clients.ts";
import { Browser, configureGithub, providerUrl } from "./upstream_browser.ts";
import { census, identitiesOf, person } from "./upstream_people.ts";

const settings = env as unknown as Env;
const issuer = inject("githubUrl");

beforeEach(() => {
  settings.SIGN_UPS = undefined;
});

describe("GitHub", () => {
  it("knows a user by number: a login that somebody else took over is somebody else", async () => {
    configureGithub("honest");
    const user = await person({ issuer, subject: "7" });
    const browser = new Browser();
    const page = await browser.signIn("github", "octo-7");
    expect([page.status, page.headers.get("location")]).toEqual([303, "/account"]);
    expect(browser.user).toBe(user);
    const renamed = new Browser();
    await renamed.signIn("github", "somebody-renamed-7");
    expect(renamed.user).toBe(user);
    const other = new Browser();
    expect((await other.signIn("github", "octo-8")).status).toBe(403);
    expect(other.user).toBeNull();
  });

  it("does so too where the server does not name itself", async () => {
    configureGithub("silent");
    const user = await person({ issuer, subject: "17" });
    const browser = new Browser();
    await browser.signIn("github", "octo-17");
    expect(browser.user).toBe(user);
  });

  it("asks for the e-mail address alone, with PKCE", async () => {
    configureGithub("honest");
    const url = new URL(providerUrl(await new Browser().begin("github")));
    expect(`${url.origin}${url.pathname}`).toBe(`${issuer}/honest/login/oauth/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: "code",
      client_id: "Iv1.waypost",
      redirect_uri: "https://waypost.test/sign-in/callback/github",
      scope: "user:email",
      state: expect.stringMatching(/^[0-9a-z]{40}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
  });

  it.each([
    ["honest", "octo-21", "octo-21@new.example"],
    ["few-scopes", "octo-22", null],
    ["unverified-email", "octo-23", null],
  ])("signs up with what the person lets it see: %s", async (mode, login, email) => {
    settings.SIGN_UPS = "open";
    configureGithub(mode);
    const browser = new Browser();
    expect((await browser.signIn("github", login)).status).toBe(303);
    const user = browser.user ?? "";
    const made = await settings.DB.prepare("SELECT name, email FROM users WHERE id = ?").bind(user).first();
    expect(made).toEqual({ name: `The ${login}`, email });
    expect(await identitiesOf(user)).toEqual([{ issuer, subject: login.slice(5), label: login }]);
    const again = new Browser();
    await again.signIn("github", login);
    expect(again.user).toBe(user);
  });

  it.each([
    ["denied", 403],
    ["mix-up", 400],
    ["token-500", 502],
    ["other-secret", 502],
    ["user-401", 502],
    ["user-500", 502],
    ["user-html", 502],
    ["user-no-id", 502],
    ["user-text-id", 502],
  ])("refuses with a page: %s", async (mode, status) => {
    settings.SIGN_UPS = "open";
    configureGithub(mode);
    const before = await census();
    const browser = new Browser();
    const page = await browser.signIn("github", "octo-7");
    expect(page.status).toBe(status);
    expect(page.body).toContain("/sign-in?next=%2Faccount");
    expect(page.body).not.toMatch(/secret upstream|gho_/);
    expect(page.body).not.toContain(GITHUB_CLIENT_SECRET);
    expect(browser.user).toBeNull();
    expect(await census()).toEqual(before);
  });

  it("cannot be reached: says so", async () => {
    configureGithub("honest");
    const browser = new Browser();
    const callback = await browser.toCallback("github", "octo-7");
    // What was begun is finished with the server it was begun at.
    settings.GITHUB_API_URL = "http://127.0.0.1:9";
    const page = await browser.get(callback);
    expect(page.status).toBe(502);
    expect(page.body).toContain("GitHub cannot be reached");
  });
});
