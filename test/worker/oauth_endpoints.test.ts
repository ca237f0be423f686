import { env, SELF } from "cloudflare:test";
import { AuthorizationError } from "@cloudflare/workers-oauth-provider";
import { describe, expect, it } from "vitest";
import { authorize } from "../../src/auth/oauth/authorize.ts";
import { addressOf } from "../../src/auth/oauth/limits.ts";
import { oauthApi, requestedScopes } from "../../src/auth/oauth/server.ts";
import type { Scope } from "../../src/auth/scopes.ts";
import { ORIGIN } from "./client.ts";
import { ALL, authorizeUrl, CALLBACK, client, codeFor, person, pkce, register, statusAt, token } from "./oauth_flow.ts";

const SERVER = "/.well-known/oauth-authorization-server";
const RESOURCE = "/.well-known/oauth-protected-resource";

describe("metadata", () => {
  it("of the authorization server says what it does, at the issuer's URLs whatever the host", async () => {
    for (const origin of [ORIGIN, "http://127.0.0.1:8787", "https://elsewhere.test"]) {
      const response = await SELF.fetch(`${origin}${SERVER}`, { headers: { "X-Forwarded-Host": "evil.test" } });
      expect(response.status).toBe(200);
      expect(await response.json()).toEqual({
        issuer: ORIGIN,
        authorization_endpoint: `${ORIGIN}/oauth/authorize`,
        token_endpoint: `${ORIGIN}/oauth/token`,
        registration_endpoint: `${ORIGIN}/oauth/register`,
        revocation_endpoint: `${ORIGIN}/oauth/token`,
        revocation_endpoint_auth_methods_supported: expect.arrayContaining(["none", "client_secret_basic"]),
        protected_resources: [ORIGIN, "http://127.0.0.1:8787"].flatMap((o) => [`${o}/mcp`, `${o}/v1`]).sort(byMcp),
        scopes_supported: ["chat", "usage", "sync", "search", "documents:write", "offline_access"],
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token"],
        token_endpoint_auth_methods_supported: ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported: ["RS256", "ES256"],
        code_challenge_methods_supported: ["S256"],
        authorization_response_iss_parameter_supported: true,
        client_id_metadata_document_supported: true,
      });
    }
  });

  it("of a resource names it at the origin that was asked, and the issuer's where that is unknown", async () => {
    for (const [origin, path, resource] of [
      [ORIGIN, "/mcp", `${ORIGIN}/mcp`],
      [ORIGIN, "/v1", `${ORIGIN}/v1`],
      [ORIGIN, "", `${ORIGIN}/mcp`],
      ["http://127.0.0.1:8787", "/mcp", "http://127.0.0.1:8787/mcp"],
      ["https://elsewhere.test", "/v1", `${ORIGIN}/v1`],
    ]) {
      const response = await SELF.fetch(`${origin}${RESOURCE}${path}`, {
        headers: { "X-Forwarded-Host": "evil.test" },
      });
      expect(await response.json()).toEqual({
        resource,
        resource_name: "Waypost",
        authorization_servers: [ORIGIN],
        scopes_supported: ["chat", "usage", "sync", "search", "documents:write"],
        bearer_methods_supported: ["header"],
      });
    }
  });

  it("claims nothing that is not there", async () => {
    for (const path of ["/.well-known/openid-configuration", `${SERVER}/mcp`, `${RESOURCE}/chat`]) {
      expect((await SELF.fetch(`${ORIGIN}${path}`)).status).toBe(404);
    }
  });
});

const byMcp = (a: string, b: string) => Number(b.endsWith("/mcp")) - Number(a.endsWith("/mcp"));

describe("pages of any origin", () => {
  it("may read the metadata, register and get tokens, without credentials of the browser", async () => {
    const origin = { Origin: "https://inspector.example" };
    for (const path of [SERVER, `${RESOURCE}/mcp`, "/oauth/token", "/oauth/register"]) {
      const headers = {
        ...origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
      };
      const preflight = await SELF.fetch(`${ORIGIN}${path}`, { method: "OPTIONS", headers });
      expect(preflight.status).toBe(204);
      expect(preflight.headers.get("access-control-allow-origin")).toBe("*");
      expect(preflight.headers.get("access-control-allow-headers")).toMatch(/content-type/i);
      expect(preflight.headers.get("access-control-allow-credentials")).toBeNull();
    }
    expect(
      (await SELF.fetch(`${ORIGIN}${SERVER}`, { headers: origin })).headers.get("access-control-allow-origin"),
    ).toBe("*");
    const registered = await register({}, origin);
    expect(registered.headers.get("access-control-allow-origin")).toBe("*");
    const refused = await token({ grant_type: "authorization_code", client_id: registered.body.client_id }, origin);
    expect([refused.status, refused.headers.get("access-control-allow-origin")]).toEqual([400, "*"]);
    const other = await SELF.fetch(`${ORIGIN}/v1/usage`, { method: "OPTIONS", headers: origin });
    expect(other.status).toBe(403);
  });
});

describe("the token endpoint", () => {
  const post = (body: string, headers: Record<string, string>) =>
    SELF.fetch(`${ORIGIN}/oauth/token`, { method: "POST", headers, body });
  const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

  it("refuses what is not one plain request, in the protocol's words", async () => {
    const id = await client();
    const code = `usr_x:${"a".repeat(16)}:${"b".repeat(32)}`;
    for (const [body, headers, status, error] of [
      ["{}", { "Content-Type": "application/json" }, 400, "invalid_request"],
      ["", FORM, 401, "invalid_client"],
      [`client_id=${id}`, FORM, 400, "unsupported_grant_type"],
      [`grant_type=password&client_id=${id}&username=a&password=b`, FORM, 400, "unsupported_grant_type"],
      [`grant_type=client_credentials&client_id=${id}`, FORM, 400, "unsupported_grant_type"],
      [`grant_type=authorization_code&client_id=${id}&code=${code}&code=${code}`, FORM, 400, "invalid_request"],
      [`grant_type=refresh_token&client_id=${id}&refresh_token=${code}&refresh_token=x`, FORM, 400, "invalid_request"],
      [`grant_type=refresh_token&client_id=${id}&client_id=x&refresh_token=${code}`, FORM, 400, "invalid_request"],
      [`grant_type=refresh_token&client_id=${id}&refresh_token=${code}`, FORM, 400, "invalid_grant"],
      [`grant_type=authorization_code&client_id=${id}&code=${code}`, FORM, 400, "invalid_grant"],
      ["x".repeat(70_000), FORM, 413, "invalid_request"],
    ] as const) {
      const response = await post(body, headers);
      expect([body.slice(0, 60), response.status, (await response.json<{ error: string }>()).error]).toEqual([
        body.slice(0, 60),
        status,
        error,
      ]);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
    expect((await SELF.fetch(`${ORIGIN}/oauth/token`)).status).toBe(405);
  });

  it("authenticates confidential clients by the method they registered, and no other way", async () => {
    const who = await person();
    const { body: basic } = await register({ token_endpoint_auth_method: "client_secret_basic" });
    const { form } = await codeFor(who, { client: basic.client_id });
    const { client_id: _, ...bare } = form;
    const header = (secret: string) => ({ Authorization: `Basic ${btoa(`${basic.client_id}:${secret}`)}` });
    expect((await token(form)).body.error).toBe("invalid_client");
    expect((await token({ ...form, client_secret: basic.client_secret })).body.error).toBe("invalid_client");
    const wrong = await token(bare, header("wrong"));
    expect([wrong.status, wrong.body.error]).toEqual([401, "invalid_client"]);
    expect(wrong.headers.get("www-authenticate")).toBe('Basic realm="OAuth"');
    const redeemed = await token(bare, header(basic.client_secret));
    expect(redeemed.status).toBe(200);
    const again = { grant_type: "refresh_token", refresh_token: redeemed.body.refresh_token };
    const [one, two] = [
      await token(again, header(basic.client_secret)),
      await token(again, header(basic.client_secret)),
    ];
    expect([one.status, two.status]).toEqual([200, 200]);
    expect(two.body.refresh_token).toBe(one.body.refresh_token);
    expect((await token(again, header("wrong"))).status).toBe(401);
  });
});

describe("limits by address", () => {
  it("hold each address, and an IPv6 network as one, to its own", async () => {
    const from = (address: string) => register({}, { "CF-Connecting-IP": address });
    const statuses: number[] = [];
    for (let i = 0; i < 61; i++) statuses.push((await from(`2001:db8:1:2::${i + 1}`)).status);
    expect(statuses.slice(0, 60)).toEqual(Array(60).fill(201));
    const refused = await from("2001:db8:1:2:ffff::1");
    expect(refused.status).toBe(429);
    expect(refused.body.error).toBe("temporarily_unavailable");
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(3_500);
    expect(Number(refused.headers.get("retry-after"))).toBeLessThanOrEqual(3_600);
    expect((await from("2001:db8:1:3::1")).status).toBe(201);
    expect((await from("203.0.113.9")).status).toBe(201);
  });

  it("know who sends", () => {
    const of = (address?: string) => addressOf(new Headers(address ? { "CF-Connecting-IP": address } : {}));
    expect(of()).toBe("local");
    expect(of("203.0.113.9")).toBe("203.0.113.9");
    expect(of("2001:db8::1")).toBe("2001:db8:0:0::/64");
    expect(of("2001:0db8:0000:0000:1::")).toBe("2001:db8:0:0::/64");
    expect(of("::1")).toBe("0:0:0:0::/64");
  });
});

describe("consent", () => {
  it("is taken once, for one of two who send it at the same time", async () => {
    const api = oauthApi(env);
    const id = await client();
    const { challenge } = await pkce();
    const url = authorizeUrl({
      client_id: id,
      redirect_uri: CALLBACK,
      code_challenge: challenge,
      code_challenge_method: "S256",
    });
    const shown = await api.beginConsent(await api.parseAuthRequest(new Request(url)));
    const cookie = shown.headers.get("set-cookie")?.split(";")[0] ?? "";
    const approve = () =>
      api.approveConsent(new Request(url, { method: "POST", headers: { Cookie: cookie } }), shown.handle);
    await expect(api.approveConsent(new Request(url), shown.handle)).rejects.toThrow(AuthorizationError);
    const settled = await Promise.allSettled(Array.from({ length: 10 }, approve));
    expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of settled) {
      if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(AuthorizationError);
    }
    await expect(approve()).rejects.toThrow(AuthorizationError);
  });

  it("offers the scopes that were asked for and exist, or the default", () => {
    const offered = (scope: string) => requestedScopes({ scope: scope.split(" ").filter(Boolean) });
    expect(offered("")).toEqual(ALL);
    expect(offered("openid profile email")).toEqual(ALL);
    expect(offered("offline_access")).toEqual(ALL);
    expect(offered("search usage everything")).toEqual(["usage", "search"]);
    expect(offered("admin offline_access")).toEqual(["admin", "offline_access"]);
  });

  it("grants no scope that does not exist, and none at all is no grant", async () => {
    const who = await person();
    const id = await client();
    const { challenge } = await pkce();
    const url = authorizeUrl({
      client_id: id,
      redirect_uri: CALLBACK,
      code_challenge: challenge,
      code_challenge_method: "S256",
    });
    const request = await oauthApi(env).parseAuthRequest(new Request(url));
    for (const scopes of [[], ["everything"], ["usage", "root"]] as Scope[][]) {
      await expect(authorize(env, { request, ...who, scopes, clientName: "x", clientDomain: null })).rejects.toThrow(
        "scope",
      );
    }
  });

  it("asked by a confidential client needs PKCE as well", async () => {
    const { body } = await register({ token_endpoint_auth_method: "client_secret_post" });
    const { challenge } = await pkce();
    const ask = (more: Record<string, string>) =>
      oauthApi(env).parseAuthRequest(
        new Request(authorizeUrl({ client_id: body.client_id, redirect_uri: CALLBACK, state: "s", ...more })),
      );
    for (const more of [
      {},
      { code_challenge: challenge },
      { code_challenge: challenge, code_challenge_method: "plain" },
      { code_challenge_method: "S256" },
      { code_challenge: "short", code_challenge_method: "S256" },
      { code_challenge: challenge, code_challenge_method: "s256" },
    ] as Record<string, string>[]) {
      const refused = await ask(more).catch((error: AuthorizationError) => error);
      expect(refused, JSON.stringify(more)).toBeInstanceOf(AuthorizationError);
      const back = new URL((refused as AuthorizationError).redirectTo ?? "");
      expect([back.searchParams.get("error"), back.searchParams.get("state")]).toEqual(["invalid_request", "s"]);
      expect(back.searchParams.get("iss")).toBe(ORIGIN);
    }
    expect((await ask({ code_challenge: challenge, code_challenge_method: "S256" })).clientId).toBe(body.client_id);
  });

  it("is asked at any of our origins, for one of our resources", async () => {
    const id = await client();
    const { challenge } = await pkce();
    const ask = (resource: string | undefined, origin: string) =>
      oauthApi(env).parseAuthRequest(
        new Request(
          authorizeUrl(
            {
              client_id: id,
              redirect_uri: CALLBACK,
              resource,
              code_challenge: challenge,
              code_challenge_method: "S256",
            },
            origin,
          ),
        ),
      );
    expect((await ask(undefined, ORIGIN)).resource).toBe(`${ORIGIN}/mcp`);
    expect((await ask("http://127.0.0.1:8787/v1", "http://127.0.0.1:8787")).resource).toBe("http://127.0.0.1:8787/v1");
    for (const resource of [
      "https://elsewhere.test/mcp",
      `${ORIGIN}/mcp/`,
      `${ORIGIN}/v2`,
      ORIGIN,
      `${ORIGIN}/mcp#x`,
    ]) {
      await expect(ask(resource, ORIGIN), resource).rejects.toMatchObject({ code: "invalid_target" });
    }
  });
});

describe("an app with a scheme of its own", () => {
  it.each([
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "vscode://vscode.github-authentication/did-authenticate",
    "com.example.app:/cb",
  ])("signs in by %s alone", async (redirect) => {
    const who = await person();
    const id = await client({ redirect_uris: [redirect] });
    const { form, redirectTo } = await codeFor(who, { client: id, redirect });
    expect(redirectTo.startsWith(`${redirect}?code=`)).toBe(true);
    const redeemed = await token(form);
    expect(await statusAt("mcp", redeemed.body.access_token)).toBe(200);
  });
});
