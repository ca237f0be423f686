import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { CLIENT_ID, CLIENT_SECRET } from "./identity_clients.ts";
import { TokenMint } from "./identity_tokens.ts";
import {
  type Authorization,
  Codes,
  type IdentityServer,
  json,
  listen,
  readAuthorization,
  readForm,
  redirect,
} from "./identity_wire.ts";

/**
 * A stand-in for OpenID Connect issuers: one at each path, `<url>/<mode>`, that behaves as its mode says. `rs256`, `es256`,
 * `ps256`, `eddsa`, `post`, `public`, `userinfo` are honest; the others lie, break or dawdle, in the token
 * (identity_tokens.ts) or on the wire (below).
 *
 *   node test/upstream/identity_oidc.ts --port 9998      prints {"url": "http://127.0.0.1:9998"}
 *
 * The person who signs in is whom the parameter `login` of the authorization request names.
 */

const SLOW_MS = 30_000;

interface Issuer {
  mode: string;
  url: string;
  mint: TokenMint;
  codes: Codes;
  tokens: Map<string, Authorization>;
}

export async function startOidc(port = 0): Promise<IdentityServer> {
  const mint = await TokenMint.open();
  const issuers = new Map<string, Issuer>();
  const server = await listen(async (request, response, url) => {
    const [, mode = "", ...rest] = url.pathname.split("/");
    // Whose own name ends with a slash, though it is found without one.
    if (mode === ".well-known") return json(response, 200, { issuer: `${server.url}/` });
    let issuer = issuers.get(mode);
    if (!issuer) {
      issuer = { mode, url: `${server.url}/${mode}`, mint, codes: new Codes(), tokens: new Map() };
      issuers.set(mode, issuer);
    }
    await route(issuer, rest.join("/"), request, response, url);
  }, port);
  return server;
}

async function route(
  issuer: Issuer,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const trouble = /^(discovery|token|jwks)-(.+)$/.exec(issuer.mode);
  const at = { ".well-known/openid-configuration": "discovery", token: "token", jwks: "jwks" }[path];
  if (trouble?.[2] && trouble[1] === at && (await failAs(trouble[2], response))) return;
  switch (path) {
    case ".well-known/openid-configuration":
      return json(response, 200, metadata(issuer));
    case "authorize":
      return authorize(issuer, response, url);
    case "token":
      return token(issuer, request, response);
    case "jwks":
      return json(response, 200, { keys: issuer.mode === "jwks-none" ? [] : issuer.mint.keys });
    case "userinfo":
      return userinfo(issuer, request, response);
  }
  json(response, 404, { error: "not_found" });
}

/** Ways in which any endpoint fails; false when the mode is another kind of trouble. */
async function failAs(how: string, response: ServerResponse): Promise<boolean> {
  switch (how) {
    case "500":
      json(response, 500, { error: "server_error", error_description: "secret upstream words" });
      return true;
    case "html":
      response.writeHead(200, { "content-type": "text/html" }).end("<html>secret upstream page</html>");
      return true;
    case "slow":
      await sleep(SLOW_MS, undefined, { ref: false });
      response.destroy();
      return true;
    case "trickle":
      response.writeHead(200, { "content-type": "application/json" });
      for (let i = 0; i < SLOW_MS / 500 && !response.destroyed; i++) {
        response.write(" ");
        await sleep(500, undefined, { ref: false });
      }
      response.destroy();
      return true;
    case "huge":
      response.writeHead(200, { "content-type": "application/json" });
      for (let i = 0; i < 1_000 && !response.destroyed; i++) {
        response.write(" ".repeat(64 * 1024));
        await sleep(1);
      }
      response.end("{}");
      return true;
    case "cut":
      response.destroy();
      return true;
    case "redirect":
      response.writeHead(307, { location: "http://127.0.0.1:1/elsewhere" }).end();
      return true;
    case "garbage":
      json(response, 200, { issuer: 7, keys: [{ kty: "RSA", kid: "key-rs256", n: "!", e: 3 }], access_token: [] });
      return true;
  }
  return false;
}

function metadata({ mode, url }: Issuer): object {
  const signs = ["RS256", "ES256", "PS256", "EdDSA"];
  return {
    issuer: mode === "discovery-other" ? url.replace(/[^/]+$/, "rs256") : url,
    authorization_endpoint: mode === "plain-authorize" ? "http://issuer.example/authorize" : `${url}/authorize`,
    token_endpoint: mode === "plain-token" ? "http://issuer.example/token" : `${url}/token`,
    jwks_uri: `${url}/jwks`,
    ...(mode === "userinfo" || mode === "userinfo-other" ? { userinfo_endpoint: `${url}/userinfo` } : {}),
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    code_challenge_methods_supported: ["S256"],
    // A server that admits to every algorithm must not widen what is accepted.
    id_token_signing_alg_values_supported: [...signs, "RS384", "HS256", "none"],
    ...(mode === "post" ? { token_endpoint_auth_methods_supported: ["client_secret_post"] } : {}),
    authorization_response_iss_parameter_supported: mode !== "silent",
  };
}

async function authorize({ mode, url, codes }: Issuer, response: ServerResponse, request: URL): Promise<void> {
  const authorization = readAuthorization(request);
  if (typeof authorization === "string" || authorization.clientId !== CLIENT_ID) {
    return json(response, 400, { error: "invalid_request", error_description: String(authorization) });
  }
  const state = request.searchParams.get("state") ?? "";
  const denied = /^denied-(\w+)$/.exec(mode);
  if (denied) {
    const error = { error: denied[1], error_description: "<script>alert('secret upstream words')</script>" };
    return redirect(response, authorization.redirectUri, { ...error, state, iss: url });
  }
  const iss: Record<string, string | undefined> = {
    "mix-up": url.replace(/[^/]+$/, "rs256"),
    "iss-missing": undefined,
    silent: undefined,
  };
  redirect(response, authorization.redirectUri, {
    code: codes.issue(authorization),
    state: mode === "wrong-state" ? "a".repeat(40) : state,
    iss: mode in iss ? iss[mode] : url,
  });
}

async function token(issuer: Issuer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const form = await readForm(request);
  const { mode } = issuer;
  if (!authenticated(mode, request, form)) {
    response.setHeader("www-authenticate", 'Basic realm="issuer"');
    return json(response, 401, { error: "invalid_client" });
  }
  const authorization = issuer.codes.redeem(form, CLIENT_ID);
  if (!authorization || mode === "token-refused") {
    return json(response, 400, { error: "invalid_grant", error_description: "secret upstream words" });
  }
  const { login, nonce } = authorization;
  const accessToken = crypto.randomUUID();
  issuer.tokens.set(accessToken, authorization);
  const inUserinfo = mode.startsWith("userinfo");
  const facts = { issuer: issuer.url, clientId: CLIENT_ID, login, nonce, profile: inUserinfo ? {} : profile(login) };
  json(response, 200, {
    access_token: accessToken,
    token_type: "Bearer",
    expires_in: 300,
    scope: authorization.scope,
    ...(mode === "no-id-token" ? {} : { id_token: await issuer.mint.idToken(mode, facts) }),
  });
}

async function userinfo(issuer: Issuer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { mode, tokens } = issuer;
  const authorization = tokens.get(/^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "");
  if (!authorization) return json(response, 401, { error: "invalid_token" });
  const sub = mode === "userinfo-other" ? "somebody-else" : authorization.login;
  json(response, 200, { sub, ...profile(authorization.login) });
}

const profile = (login: string) => ({
  name: `${login} the person`,
  preferred_username: login,
  email: `${login}@people.example`,
  email_verified: true,
});

function authenticated(mode: string, request: IncomingMessage, form: URLSearchParams): boolean {
  if (mode === "public") return form.get("client_id") === CLIENT_ID && !form.has("client_secret");
  if (mode === "post") return form.get("client_id") === CLIENT_ID && form.get("client_secret") === CLIENT_SECRET;
  const encoded = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
  const [id = "", secret = ""] = Buffer.from(encoded, "base64").toString("utf8").split(":");
  const decode = (text: string) => decodeURIComponent(text.replaceAll("+", " "));
  return decode(id) === CLIENT_ID && decode(secret) === CLIENT_SECRET;
}

if (import.meta.main) {
  const flag = process.argv.indexOf("--port");
  const { url } = await startOidc(flag > 0 ? Number(process.argv[flag + 1]) : 0);
  process.stdout.write(`${JSON.stringify({ url })}\n`);
}
