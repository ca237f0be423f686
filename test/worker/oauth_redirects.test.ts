import { env } from "cloudflare:test";
import { AuthorizationError } from "@cloudflare/workers-oauth-provider";
import { describe, expect, it } from "vitest";
import { authorize } from "../../src/auth/oauth/authorize.ts";
import { oauthApi } from "../../src/auth/oauth/server.ts";
import { authorizeUrl, client, person, pkce, register } from "./oauth_flow.ts";

/** Targets that no client may register, alone or beside a good one. */
const DANGEROUS = [
  "javascript:alert(1)",
  "JavaScript:alert(1)",
  "java\tscript:alert(1)",
  " javascript:alert(1)",
  "javascript://localhost/%0aalert(1)",
  "data:text/html,<script>alert(1)</script>",
  "vbscript:msgbox(1)",
  "file:///etc/passwd",
  "blob:https://app.example/1",
  "filesystem:https://app.example/1",
  "about:blank",
  "view-source:https://app.example/cb",
  "mailto:a@example.org",
  "tel:123",
  "sms:123",
  "ftp://app.example/cb",
  "ws://app.example/cb",
  "wss://app.example/cb",
  "intent://app.example/#Intent;scheme=https;end",
  "ms-msdt:/id",
  "ms-officecmd:{}",
  "search-ms:query=x",
  "chrome://settings",
  "chrome-extension://abc/cb",
  "https://app.example/cb#fragment",
  "https://app.example/cb#",
  "cursor://callback#x",
  "https://user@app.example/cb",
  "https://user:pass@app.example/cb",
  "https://app.example\\@evil.example/cb",
  "https://app.example/c b",
  "https://app.example/cb\n",
  "https://app.example/\u0000",
  "https://app.ex\u0430mple/cb",
  "//app.example/cb",
  "/cb",
  "cb",
  "https://",
  "",
];

/** Plain http to another machine: never sent to; a client that has nothing else is refused. */
const REMOTE = [
  "http://app.example/cb",
  "http://localhost.evil.example/cb",
  "http://127.0.0.1.evil.example/cb",
  "http://10.0.0.1/cb",
  "http://0.0.0.0/cb",
  "http://[::ffff:127.0.0.1]/cb",
  "http://localhost./cb",
];

const BASE = "https://app.example/cb";
/** What is asked for though something like it was registered: [registered, asked]. */
const LIKE: [string, string][] = [
  [BASE, "https://app.example/cb/"],
  [BASE, "https://app.example/CB"],
  [BASE, "https://APP.example/cb"],
  [BASE, "https://app.example:443/cb"],
  [BASE, "https://app.example:444/cb"],
  [BASE, "https://app.example./cb"],
  [BASE, "https://app.example/cb?x=1"],
  [BASE, "https://app.example/cb?"],
  [BASE, "https://app.example/cb#"],
  [BASE, "https://app.example/cb#x"],
  [BASE, "https://app.example/./cb"],
  [BASE, "https://app.example/x/../cb"],
  [BASE, "https://app.example/%63b"],
  [BASE, "https://app.example//cb"],
  [BASE, "https://app.example/cb%00"],
  [BASE, "https://app.example/cb "],
  [BASE, " https://app.example/cb"],
  [BASE, "https:app.example/cb"],
  [BASE, "https:\\\\app.example\\cb"],
  [BASE, "https://app.example@evil.example/cb"],
  [BASE, "https://evil.example/cb"],
  [BASE, "https://app.example.evil.example/cb"],
  [BASE, "https://evil.example/https://app.example/cb"],
  [BASE, "https://sub.app.example/cb"],
  [BASE, "http://app.example/cb"],
  [BASE, "javascript:alert(1)"],
  [BASE, ""],
  ["http://127.0.0.1:1234/cb", "http://localhost:1234/cb"],
  ["http://127.0.0.1:1234/cb", "http://127.0.0.2:1234/cb"],
  ["http://127.0.0.1:1234/cb", "https://127.0.0.1:1234/cb"],
  ["http://127.0.0.1:1234/cb", "http://127.0.0.1:1234/other"],
  ["http://127.0.0.1:1234/cb", "http://127.0.0.1:1234@evil.example/cb"],
  ["http://127.0.0.1:1234/cb", "http://127.0.0.1:1234/cb?next=https://evil.example"],
  ["http://127.0.0.1:1234/cb", "http://127.0.0.1:1234\\@evil.example/cb"],
  ["http://127.0.0.1:1234/cb", "http://user@127.0.0.1:1234/cb"],
  ["http://127.0.0.1:1234/cb", "http://127.0.0.1:1234/cb#x"],
  ["http://127.0.0.1:1234/cb", "http://127.0.0.1.evil.example/cb"],
  ["cursor://app/cb", "cursor://other/cb"],
  ["cursor://app/cb", "CURSOR://app/cb"],
  ["cursor://app/cb", "vscode://app/cb"],
  ["cursor://app/cb", "cursor://app/cb?x=1"],
];

async function ask(id: string, redirect: string) {
  const { challenge } = await pkce();
  const url = authorizeUrl({
    client_id: id,
    redirect_uri: redirect,
    code_challenge: challenge,
    code_challenge_method: "S256",
  });
  return oauthApi(env).parseAuthRequest(new Request(url));
}

/** Refused without a word to the target. */
async function expectRefused(asked: Promise<unknown>, why: string) {
  const error = await asked.then(
    () => null,
    (thrown) => thrown,
  );
  expect(error, why).toBeInstanceOf(AuthorizationError);
  expect([why, error.redirectTo]).toEqual([why, undefined]);
}

describe("redirect targets", () => {
  it("that are dangerous are refused at registration, beside a good one too", async () => {
    for (const target of DANGEROUS) {
      for (const redirect_uris of [[target], [BASE, target]]) {
        const refused = await register({ redirect_uris });
        expect([target, refused.status]).toEqual([target, 400]);
        expect(refused.body.error).toMatch(/^invalid_(redirect_uri|client_metadata)$/);
      }
    }
    for (const redirect_uris of [[], "https://app.example/cb", [1], undefined]) {
      expect((await register({ redirect_uris })).status).toBe(400);
    }
  });

  it("on another machine without TLS are refused alone, and never used", async () => {
    for (const target of REMOTE) {
      expect([target, (await register({ redirect_uris: [target] })).status]).toEqual([target, 400]);
      const both = await register({ redirect_uris: [BASE, target] });
      expect([target, both.status]).toEqual([target, 201]);
      await expectRefused(ask(both.body.client_id, target), target);
    }
  });

  it("are compared whole: nothing that only looks like the registered one is used", async () => {
    for (const [registered, asked] of LIKE) {
      const id = await client({ redirect_uris: [registered] });
      await expectRefused(ask(id, asked), `${registered} / ${asked}`);
    }
  });

  it("may use any port on this machine, and nothing else may differ", async () => {
    const id = await client({ redirect_uris: ["http://127.0.0.1/cb", "http://localhost/cb", "http://[::1]/cb"] });
    for (const redirect of ["http://127.0.0.1:49152/cb", "http://localhost:3000/cb", "http://[::1]:8080/cb"]) {
      expect((await ask(id, redirect)).redirectUri).toBe(redirect);
    }
  });

  it("asked for twice, or by a client nobody knows, are refused", async () => {
    const id = await client({ redirect_uris: [BASE] });
    const { challenge } = await pkce();
    const good = { client_id: id, redirect_uri: BASE, code_challenge: challenge, code_challenge_method: "S256" };
    const url = authorizeUrl(good);
    for (const more of [
      `redirect_uri=${encodeURIComponent("https://evil.example/cb")}`,
      "client_id=x",
      "state=a&state=b",
    ]) {
      await expectRefused(oauthApi(env).parseAuthRequest(new Request(`${url}&${more}`)), more);
    }
    await expectRefused(ask("unknown", BASE), "unknown client");
    await expectRefused(ask("", BASE), "no client");
    const wrongPath = url.replace("/oauth/authorize", "/oauth/other");
    await expectRefused(oauthApi(env).parseAuthRequest(new Request(wrongPath)), wrongPath);
  });

  it("that a request was changed to afterwards are refused when it is granted", async () => {
    const who = await person();
    const id = await client({ redirect_uris: [BASE] });
    const request = await ask(id, BASE);
    for (const redirectUri of ["https://evil.example/cb", "javascript:alert(1)"]) {
      const changed = { request: { ...request, redirectUri }, ...who, scopes: ["usage"] as const };
      await expect(authorize(env, { ...changed, clientName: "x", clientDomain: null })).rejects.toThrow(/redirect/i);
    }
    const unproved = { request: { ...request, codeChallenge: undefined }, ...who, scopes: ["usage"] as const };
    await expect(authorize(env, { ...unproved, clientName: "x", clientDomain: null })).rejects.toThrow(/PKCE/);
  });
});
