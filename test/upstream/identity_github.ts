import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET } from "./identity_clients.ts";
import { Codes, type IdentityServer, json, listen, readAuthorization, readForm, redirect } from "./identity_wire.ts";

/**
 * A stand-in for GitHub: its web pages at `<url>/<mode>` and its API at `<url>/<mode>/api`, each behaving as the mode says:
 * `honest`, `few-scopes` (the person grants no e-mail address), and the troubles below.
 *
 *   node test/upstream/identity_github.ts --port 9997      prints {"url": "http://127.0.0.1:9997"}
 *
 * The person who signs in is whom the parameter `login` of the authorization request names; the number of `octo-7` is 7.
 */

interface Granted {
  login: string;
  scopes: string[];
}

export async function startGithub(port = 0): Promise<IdentityServer> {
  const codes = new Codes();
  const tokens = new Map<string, Granted>();
  const server = await listen(async (request, response, url) => {
    const [, mode = "", ...rest] = url.pathname.split("/");
    switch (rest.join("/")) {
      case "login/oauth/authorize":
        return authorize(mode, `${server.url}/${mode}/login/oauth`, codes, response, url);
      case "login/oauth/access_token":
        return accessToken(mode, codes, tokens, request, response);
      case "api/user":
        return user(mode, granted(tokens, request), response);
      case "api/user/emails":
        return emails(mode, granted(tokens, request), response);
    }
    json(response, 404, { message: "Not Found" });
  }, port);
  return server;
}

async function authorize(mode: string, self: string, codes: Codes, response: ServerResponse, url: URL): Promise<void> {
  const authorization = readAuthorization(url);
  if (typeof authorization === "string" || authorization.clientId !== GITHUB_CLIENT_ID) {
    return json(response, 404, { message: "Not Found" });
  }
  const state = url.searchParams.get("state") ?? "";
  if (mode === "denied") {
    const error = { error: "access_denied", error_description: "The user has denied your application access." };
    return redirect(response, authorization.redirectUri, { ...error, state });
  }
  // GitHub names itself (RFC 9207); an older Enterprise Server is silent.
  const iss = mode === "mix-up" ? "https://issuer.example" : mode === "silent" ? undefined : self;
  redirect(response, authorization.redirectUri, { code: codes.issue(authorization), state, iss });
}

/** GitHub takes client credentials in the body and answers errors with status 200. */
async function accessToken(
  mode: string,
  codes: Codes,
  tokens: Map<string, Granted>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = await readForm(request);
  if (!request.headers.accept?.includes("json")) {
    response.writeHead(200, { "content-type": "application/x-www-form-urlencoded" }).end("error=not_json");
    return;
  }
  if (mode === "token-500") return json(response, 500, { message: "secret upstream words" });
  const isClient =
    form.get("client_id") === GITHUB_CLIENT_ID &&
    form.get("client_secret") === (mode === "other-secret" ? "another" : GITHUB_CLIENT_SECRET);
  if (!isClient) return json(response, 200, { error: "incorrect_client_credentials" });
  const authorization = codes.redeem(form, GITHUB_CLIENT_ID);
  if (!authorization) {
    return json(response, 200, { error: "bad_verification_code", error_description: "secret upstream words" });
  }
  const scopes = mode === "few-scopes" ? [] : authorization.scope.split(" ");
  const token = `gho_${crypto.randomUUID().replaceAll("-", "")}`;
  tokens.set(token, { login: authorization.login, scopes });
  json(response, 200, { access_token: token, token_type: "bearer", scope: scopes.join(",") });
}

function granted(tokens: Map<string, Granted>, request: IncomingMessage): Granted | null {
  // GitHub answers 403 to a request without a User-Agent.
  if (!request.headers["user-agent"]) return null;
  return tokens.get(/^(?:Bearer|token) (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "") ?? null;
}

async function user(mode: string, who: Granted | null, response: ServerResponse): Promise<void> {
  if (!who || mode === "user-401") return json(response, 401, { message: "Bad credentials" });
  switch (mode) {
    case "user-500":
      return json(response, 500, { message: "secret upstream words" });
    case "user-html":
      response.writeHead(200, { "content-type": "text/html" }).end("<html>secret upstream page</html>");
      return;
    case "user-no-id":
      return json(response, 200, { login: who.login });
    case "user-text-id":
      return json(response, 200, { login: who.login, id: "7" });
    case "user-slow":
      await sleep(30_000, undefined, { ref: false });
      response.destroy();
      return;
  }
  const id = Number(/(\d+)$/.exec(who.login)?.[1] ?? 1);
  json(response, 200, {
    login: who.login,
    id,
    node_id: "MDQ6VXNlcg==",
    type: "User",
    name: `The ${who.login}`,
    email: null,
  });
}

async function emails(mode: string, who: Granted | null, response: ServerResponse): Promise<void> {
  if (!who?.scopes.includes("user:email")) return json(response, 404, { message: "Not Found" });
  json(response, 200, [
    { email: `${who.login}@old.example`, primary: false, verified: true, visibility: null },
    { email: `${who.login}@new.example`, primary: true, verified: mode !== "unverified-email", visibility: "private" },
  ]);
}

if (import.meta.main) {
  const flag = process.argv.indexOf("--port");
  const { url } = await startGithub(flag > 0 ? Number(process.argv[flag + 1]) : 0);
  process.stdout.write(`${JSON.stringify({ url })}\n`);
}
