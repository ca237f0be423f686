import { env, SELF } from "cloudflare:test";
import { expect } from "vitest";
import { newUserId } from "../../src/auth/keys.ts";
import { authorize } from "../../src/auth/oauth/authorize.ts";
import { oauthApi } from "../../src/auth/oauth/server.ts";
import { DEFAULT_KEY_SCOPES, type Scope } from "../../src/auth/scopes.ts";
import { account, ORIGIN, type Reply } from "./client.ts";

/** What an OAuth client does, and what the consent page does for its user, over the Worker's own endpoints. */

export const CALLBACK = "http://127.0.0.1:7777/callback";
export const ALL: readonly Scope[] = [...DEFAULT_KEY_SCOPES, "offline_access"];

export interface Person {
  user: string;
  account: string;
}

/** A user with an account of their own. */
export async function person(): Promise<Person> {
  return { user: newUserId(), account: (await account()).account };
}

let registrations = 0;

/** Registers from an address of its own, unless the headers name one: the limit is for the tests that are about it. */
export async function register(metadata: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  const response = await SELF.fetch(`${ORIGIN}/oauth/register`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "CF-Connecting-IP": `test ${registrations++}`, ...headers },
    body: JSON.stringify({
      client_name: "Test app",
      redirect_uris: [CALLBACK],
      token_endpoint_auth_method: "none",
      ...metadata,
    }),
  });
  return reply(response);
}

/** A registered public client's id. */
export async function client(metadata: Record<string, unknown> = {}): Promise<string> {
  const registered = await register(metadata);
  expect(registered.status).toBe(201);
  return registered.body.client_id;
}

export async function pkce(): Promise<{ verifier: string; challenge: string }> {
  const verifier = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  return { verifier, challenge: Buffer.from(digest).toString("base64url") };
}

export function authorizeUrl(parameters: Record<string, string | undefined>, origin = ORIGIN): string {
  const url = new URL(`${origin}/oauth/authorize`);
  for (const [name, value] of Object.entries({ response_type: "code", ...parameters })) {
    if (value !== undefined) url.searchParams.append(name, value);
  }
  return url.toString();
}

export interface Flow {
  client: string;
  redirect?: string;
  resource?: string;
  scopes?: readonly Scope[];
}

/** What the user's consent leads to: a code, and what it takes to redeem it. */
export async function codeFor(who: Person, { client, redirect = CALLBACK, resource, scopes = ALL }: Flow) {
  const { verifier, challenge } = await pkce();
  const request = await oauthApi(env).parseAuthRequest(
    new Request(
      authorizeUrl({
        client_id: client,
        redirect_uri: redirect,
        resource,
        state: "the state",
        code_challenge: challenge,
        code_challenge_method: "S256",
      }),
    ),
  );
  const redirectTo = await authorize(env, { request, ...who, scopes, clientName: "Test app", clientDomain: null });
  const code = new URL(redirectTo).searchParams.get("code") ?? "";
  const form = { grant_type: "authorization_code", code, redirect_uri: redirect, code_verifier: verifier };
  return { redirectTo, form: { ...form, client_id: client } };
}

export async function token(form: Record<string, string>, headers: Record<string, string> = {}): Promise<Reply> {
  return reply(
    await SELF.fetch(`${ORIGIN}/oauth/token`, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded", ...headers },
      body: new URLSearchParams(form).toString(),
    }),
  );
}

export interface Tokens {
  access_token: string;
  refresh_token: string;
  scope: string;
  client: string;
}

/** The whole flow: tokens of a fresh grant. */
export async function connect(who: Person, flow: Flow): Promise<Tokens> {
  const { form } = await codeFor(who, flow);
  const redeemed = await token(form, { "CF-Connecting-IP": form.code });
  expect(redeemed.body).toMatchObject({ token_type: "bearer", expires_in: 3600 });
  return { ...redeemed.body, client: flow.client };
}

export const refresh = (
  refreshToken: string,
  client: string,
  more: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<Reply> =>
  token({ grant_type: "refresh_token", refresh_token: refreshToken, client_id: client, ...more }, headers);

/** Status of a call with a bearer token. */
export async function statusAt(surface: "mcp" | "v1", bearer: string, origin = ORIGIN): Promise<number> {
  const headers = { Authorization: `Bearer ${bearer}` };
  if (surface === "v1") return (await SELF.fetch(`${origin}/v1/usage`, { headers })).status;
  const response = await SELF.fetch(`${origin}/mcp`, {
    method: "POST",
    headers: {
      ...headers,
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" }),
  });
  await response.text();
  return response.status;
}

export const grantIn = (codeOrToken: string): string => codeOrToken.split(":")[1] ?? "";

async function reply(response: Response): Promise<Reply> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
}
