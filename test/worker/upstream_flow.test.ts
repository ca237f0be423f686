import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { hashKey } from "../../src/auth/keys.ts";
import type { Env } from "../../src/env.ts";
import { Browser, configureIssuers, issuerOf, providerUrl } from "./upstream_browser.ts";
import { invitation, person, signedIn } from "./upstream_people.ts";

const settings = env as unknown as Env;
const issuer = issuerOf("rs256");
const stateOf = (url: string): string => new URL(url).searchParams.get("state") ?? "";

configureIssuers("rs256", "es256");

describe("a sign-in under way", () => {
  it("is finished once", async () => {
    await person({ issuer, subject: "once" });
    const browser = new Browser();
    const callback = await browser.toCallback("rs256", "once");
    const pages = await Promise.all(Array.from({ length: 10 }, () => browser.get(callback)));
    expect(pages.map(({ status }) => status).sort()).toEqual([303, ...Array(9).fill(400)]);
    expect(pages.filter(({ headers }) => headers.getSetCookie().join().includes("waypost-session=usr_"))).toHaveLength(
      1,
    );
    expect((await browser.get(callback)).body).toContain("This sign-in is over");
  });

  it("is finished in the browser that began it", async () => {
    await person({ issuer, subject: "victim" });
    for (const other of [new Browser(), (await signedIn("attacker")).browser]) {
      // The one who got hold of the address the provider sends back to gets nothing with it.
      const callback = await new Browser().toCallback("rs256", "victim");
      const held = other.user;
      const page = await other.get(callback);
      expect(page.status).toBe(400);
      expect(other.user).toBe(held);
    }
    // Nor does one who makes a victim open it: the victim is not signed in as the attacker.
    const mine = new Browser();
    await mine.begin("rs256");
    const page = await mine.get(await new Browser().toCallback("rs256", "victim"));
    expect([page.status, mine.user]).toEqual([400, null]);
  });

  it("is finished with the provider it was begun at", async () => {
    await person({ issuer, subject: "mixed" });
    const browser = new Browser();
    const callback = await browser.toCallback("rs256", "mixed");
    const page = await browser.get(callback.replace("/callback/rs256", "/callback/es256"));
    expect(page.status).toBe(400);
    expect(browser.user).toBeNull();
  });

  it("does not disturb another in another tab", async () => {
    const user = await person({ issuer, subject: "tabs" });
    const browser = new Browser();
    const first = await browser.toCallback("rs256", "tabs", { next: "/account?tab=1" });
    const second = await browser.toCallback("rs256", "tabs", { next: "/account?tab=2" });
    expect((await browser.get(first)).headers.get("location")).toBe("/account?tab=1");
    expect(browser.user).toBe(user);
    expect((await browser.get(second)).headers.get("location")).toBe("/account?tab=2");
  });

  it("survives a look ahead", async () => {
    const user = await person({ issuer, subject: "ahead" });
    const browser = new Browser();
    const callback = await browser.toCallback("rs256", "ahead");
    const head = await browser.send(callback, { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(head.headers.get("cache-control")).toBe("no-store");
    await browser.get(callback);
    expect(browser.user).toBe(user);
  });

  it("leaves nothing readable behind while it waits", async () => {
    const user = await person();
    const secret = await invitation(user);
    const browser = new Browser();
    const begun = await browser.begin("rs256", { invitation: secret, next: "/account?private=1" });
    const url = providerUrl(begun);
    expect(`${url}${begun.body}${[...begun.headers].join()}`).not.toContain(secret);
    const name = `transaction:${await hashKey(`upstream ${stateOf(url)}`)}`;
    const stub = settings.AUTH.get(settings.AUTH.idFromName(name));
    const stored = (await stub.read("upstream")) ?? "";
    expect(stored.length).toBeGreaterThan(100);
    for (const text of [stored, Buffer.from(stored, "base64url").toString("latin1")]) {
      for (const word of [secret, stateOf(url), "rs256", "private", "nonce"]) expect(text).not.toContain(word);
    }
    const cookie = begun.headers.getSetCookie().find((line) => line.startsWith("__Host-waypost-browser="));
    expect(cookie).toMatch(
      /^__Host-waypost-browser=[0-9a-z]{40}; Path=\/; Max-Age=600; Secure; HttpOnly; SameSite=Lax$/,
    );
  });

  it("needs a state that was given out", async () => {
    const browser = new Browser();
    await browser.begin("rs256");
    for (const query of [
      "",
      "?state=",
      `?state=${"a".repeat(40)}&code=x`,
      "?error=access_denied",
      "?state=../x&code=x",
    ]) {
      const page = await browser.get(`/sign-in/callback/rs256${query}`);
      expect(page.status).toBe(400);
      expect(page.body).toContain("This sign-in is over");
    }
  });

  it("takes no parameter twice", async () => {
    await person({ issuer, subject: "twice" });
    for (const extra of ["&code=x", "&state=x", "&iss=https://evil.example", "&error=access_denied"]) {
      const browser = new Browser();
      const page = await browser.get(`${await browser.toCallback("rs256", "twice")}${extra}`);
      expect([400, 403, 502]).toContain(page.status);
      expect(browser.user).toBeNull();
    }
  });
});

describe("the button", () => {
  it("works from our own pages alone", async () => {
    const browser = new Browser();
    const form_token = await browser.formToken();
    const elsewhere: Record<string, string>[] = [
      { Origin: "https://evil.example", "Sec-Fetch-Site": "cross-site" },
      { Origin: "https://sub.waypost.test", "Sec-Fetch-Site": "same-site" },
      { Authorization: "Bearer wp_anything" },
    ];
    for (const headers of elsewhere) {
      const page = await browser.post("/sign-in/with/rs256", { form_token }, headers);
      expect([401, 403]).toContain(page.status);
      expect(page.headers.getSetCookie()).toEqual([]);
    }
    for (const fields of [
      {} as Record<string, string>,
      { form_token: "x" },
      { form_token: await new Browser().formToken() },
    ]) {
      expect((await browser.post("/sign-in/with/rs256", fields)).status).toBe(403);
    }
    expect((await browser.get("/sign-in/with/rs256")).status).toBe(405);
  });

  it("leads from our further origins to the one that providers know", async () => {
    const user = await person();
    const secret = await invitation(user);
    const alias = "http://127.0.0.1:8787";
    for (const [fields, target] of [
      [{ next: "/account?a=1" }, "/sign-in?next=%2Faccount%3Fa%3D1"],
      [{ link: "1" }, "/account"],
      [{ invitation: secret }, `/claim/${secret}`],
    ] as [Record<string, string>, string][]) {
      const browser = new Browser();
      const page = await browser.post(
        `${alias}/sign-in/with/rs256`,
        { form_token: await browser.formToken(), ...fields },
        { Origin: alias },
      );
      expect(providerUrl(page)).toBe(`https://waypost.test${target}`);
      expect(page.headers.getSetCookie().join()).not.toContain("waypost-browser");
    }
  });

  it("knows the configured providers", async () => {
    const browser = new Browser();
    for (const id of ["unknown", "github", "__proto__", "RS256"]) {
      expect((await browser.begin(id)).status).toBe(404);
      expect((await browser.get(`/sign-in/callback/${id}?state=${"a".repeat(40)}`)).status).toBe(404);
    }
  });

  it.each([
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "/%09/evil.example/..//evil.example",
    "javascript:alert(1)",
    "/\n/evil.example",
    "",
  ])("leads to this site afterwards, whatever it was told: %j", async (next) => {
    const subject = crypto.randomUUID();
    await person({ issuer, subject });
    const page = await new Browser().signIn("rs256", subject, { next });
    expect(page.status).toBe(303);
    const target = new URL(page.headers.get("location") ?? "", "https://waypost.test");
    expect(target.origin).toBe("https://waypost.test");
    expect(target.pathname.startsWith("//")).toBe(false);
  });
});
