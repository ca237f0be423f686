import { env } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../../src/env.ts";
import { CLIENT_SECRET } from "../upstream/identity_clients.ts";
import { Browser, configureGithub, configureIssuers, issuerOf, providerUrl } from "./upstream_browser.ts";
import { census, identitiesOf, person } from "./upstream_people.ts";

const settings = env as unknown as Env;

/** Forged or broken answers of the token endpoint, and the reason that is logged. */
const FORGED = {
  "alg-none": "algorithm_or_key",
  "hs256-public-key": "algorithm_or_key",
  rs384: "algorithm_or_key",
  "rs-as-ps": "algorithm_or_key",
  "foreign-kid": "algorithm_or_key",
  "own-jwk": "",
  "bad-signature": "signature",
  crit: "unsupported",
  "wrong-nonce": "claim_nonce",
  "no-nonce": "",
  "wrong-aud": "claim_aud",
  "no-aud": "",
  "many-aud": "claim_aud",
  "wrong-azp": "claim_azp",
  expired: "claim_exp",
  "no-exp": "",
  "not-yet": "claim_nbf",
  "other-issuer": "claim_iss",
  "no-iss": "",
  "no-sub": "",
  "number-sub": "",
  "nonsense-token": "",
  "no-id-token": "",
  "userinfo-other": "",
};

/** Troubles on the way, with the status of the page. */
const TROUBLES = {
  "token-500": 502,
  "token-html": 502,
  "token-huge": 502,
  "token-cut": 502,
  "token-redirect": 502,
  "token-garbage": 502,
  "token-refused": 502,
  "jwks-500": 502,
  "jwks-html": 502,
  "jwks-huge": 502,
  "jwks-cut": 502,
  "jwks-redirect": 502,
  "jwks-garbage": 502,
  "jwks-none": 400,
};
const TROUBLES_AT_ONCE = {
  "discovery-500": 502,
  "discovery-html": 502,
  "discovery-huge": 502,
  "discovery-cut": 502,
  "discovery-redirect": 502,
  "discovery-garbage": 502,
  "discovery-other": 400,
  root: 400,
  "plain-authorize": 502,
  "plain-token": 502,
};
const SLOW = ["token-slow", "token-trickle", "jwks-slow"];
const ANSWERS = [
  "mix-up",
  "iss-missing",
  "wrong-state",
  "denied-access_denied",
  "denied-server_error",
  "denied-nonsense",
];
const HONEST = [
  "rs256",
  "es256",
  "ps256",
  "eddsa",
  "no-kid",
  "post",
  "public",
  "userinfo",
  "silent",
  "unverified-email",
];

configureIssuers(
  ...HONEST,
  ...Object.keys(FORGED),
  ...Object.keys(TROUBLES),
  ...Object.keys(TROUBLES_AT_ONCE),
  ...SLOW,
  "discovery-slow",
  ...ANSWERS,
);

afterEach(() => {
  settings.SIGN_UPS = undefined;
  vi.restoreAllMocks();
});

/** What the log said while something ran. */
async function logged<T>(work: () => Promise<T>): Promise<{ value: T; log: string }> {
  const lines: string[] = [];
  const spy = vi.spyOn(console, "log").mockImplementation((...parts) => void lines.push(parts.join(" ")));
  const errors = vi.spyOn(console, "error").mockImplementation((...parts) => void lines.push(parts.join(" ")));
  const value = await work();
  spy.mockRestore();
  errors.mockRestore();
  return { value, log: lines.join("\n") };
}

describe("honest issuers", () => {
  it.each(HONEST)("%s: signs in the user whose identity it is", async (mode) => {
    const user = await person({ issuer: issuerOf(mode), subject: "ada" });
    const browser = new Browser();
    const page = await browser.signIn(mode, "ada", { next: "/account?tab=apps" });
    expect(page.status).toBe(303);
    expect(page.headers.get("location")).toBe("/account?tab=apps");
    expect(browser.user).toBe(user);
  });

  it("takes the profile from where the issuer keeps it, and only verified addresses", async () => {
    settings.SIGN_UPS = "open";
    for (const [mode, email] of [
      ["rs256", "newcomer@people.example"],
      ["userinfo", "newcomer@people.example"],
      ["unverified-email", null],
    ] as const) {
      const browser = new Browser();
      expect((await browser.signIn(mode, "newcomer")).status).toBe(303);
      const made = await settings.DB.prepare("SELECT name, email FROM users WHERE id = ?").bind(browser.user).first();
      expect(made).toEqual({ name: "newcomer the person", email });
      expect(await identitiesOf(browser.user ?? "")).toEqual([
        { issuer: issuerOf(mode), subject: "newcomer", label: "newcomer" },
      ]);
    }
  });

  it("tells issuers apart: the same subject elsewhere is somebody else", async () => {
    await person({ issuer: issuerOf("rs256"), subject: "grace" });
    const browser = new Browser();
    const page = await browser.signIn("es256", "grace");
    expect(page.status).toBe(403);
    expect(page.body).toContain("No user here signs in with this Issuer es256 account");
    expect(browser.user).toBeNull();
  });

  it("sends what the protocol asks for, and nothing that is secret", async () => {
    const browser = new Browser();
    const url = new URL(providerUrl(await browser.begin("rs256", { next: "/account" })));
    expect(`${url.origin}${url.pathname}`).toBe(`${issuerOf("rs256")}/authorize`);
    expect(Object.fromEntries(url.searchParams)).toEqual({
      response_type: "code",
      client_id: "waypost-at-the-issuer",
      redirect_uri: "https://waypost.test/sign-in/callback/rs256",
      scope: "openid profile email",
      state: expect.stringMatching(/^[0-9a-z]{40}$/),
      nonce: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: "S256",
    });
  });
});

/** Signs in and expects a page that says no, nobody signed in, nothing stored and no word of the provider's. */
async function expectRefused(
  mode: string,
  statuses: number[],
  go: (browser: Browser) => Promise<{ status: number; body: string }>,
) {
  settings.SIGN_UPS = "open";
  const browser = new Browser();
  const before = await census();
  const { value: page, log } = await logged(() => go(browser));
  expect(statuses, page.body).toContain(page.status);
  expect(page.body).toMatch(/href="\/sign-in(\?next=%2Faccount)?">Try again/);
  expect(browser.user).toBeNull();
  expect(await census()).toEqual(before);
  expect(`${page.body}${log}`).not.toMatch(/secret upstream|<script>alert|eyJ/);
  expect(`${page.body}${log}`).not.toContain(CLIENT_SECRET);
  const line = log.split("\n").find((text) => text.includes('"event":"sign_in"'));
  expect(JSON.parse(line ?? "{}")).toMatchObject({
    provider: mode,
    outcome: expect.any(String),
    reason: expect.any(String),
  });
  expect(log).not.toContain("wilhelmina");
  return log;
}

describe("refused", () => {
  it.each(Object.entries(FORGED))("forged: %s", async (mode, reason) => {
    const log = await expectRefused(mode, [400, 502], (browser) => browser.signIn(mode, "wilhelmina"));
    expect(log).toContain(`"reason":"${reason}`);
  });

  it.each(Object.entries(TROUBLES))("trouble: %s", async (mode, status) => {
    await expectRefused(mode, [status], (browser) => browser.signIn(mode, "wilhelmina"));
  });

  it.each(Object.entries(TROUBLES_AT_ONCE))("trouble before the browser is sent away: %s", async (mode, status) => {
    await expectRefused(mode, [status], (browser) => browser.begin(mode));
  });

  it.each([
    ["mix-up", 400],
    ["iss-missing", 400],
    ["wrong-state", 400],
    ["denied-access_denied", 403],
    ["denied-server_error", 502],
    ["denied-nonsense", 502],
  ])("answer: %s", async (mode, status) => {
    await expectRefused(mode, [status], (browser) => browser.signIn(mode, "wilhelmina"));
  });

  it("slow issuers, after ten seconds", { timeout: 30_000 }, async () => {
    settings.SIGN_UPS = "open";
    configureGithub("user-slow");
    const before = await census();
    const started = Date.now();
    const pages = await Promise.all([
      ...SLOW.map((mode) => new Browser().signIn(mode, "wilhelmina")),
      new Browser().begin("discovery-slow"),
      new Browser().signIn("github", "octo-7"),
    ]);
    expect(pages.map(({ status }) => status)).toEqual([504, 504, 504, 504, 504]);
    expect(Date.now() - started).toBeGreaterThanOrEqual(9_900);
    expect(Date.now() - started).toBeLessThan(15_000);
    expect(await census()).toEqual(before);
  });
});
