import type { Context } from "hono";
import type { Surface } from "../auth/bearer.ts";
import { waitOf } from "../auth/oauth/limits.ts";
import { authorizationServer } from "../auth/oauth/server.ts";
import { oauthStorage } from "../auth/oauth/storage.ts";
import { askLibrary, replyOf } from "../auth/oauth/token_endpoint.ts";
import { grantOfRequest, type TokenReply, type TokenRequest } from "../auth/oauth/token_request.ts";
import { DEFAULT_KEY_SCOPES } from "../auth/scopes.ts";
import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { requestIdOf } from "../gate/headers.ts";
import { logFailure } from "../gate/log.ts";
import { piecesOf } from "../gate/pieces.ts";
import type { Http, Route } from "../gate/route.ts";

/** The endpoints of the authorization server that programs call, and the metadata that leads them there. */

const METADATA = "/.well-known/oauth-authorization-server";
const RESOURCE = "/.well-known/oauth-protected-resource";

const resourceRoute = (path: string, surface: Surface): Route => ({
  method: "GET",
  path,
  guard: "open",
  handler: (c) => resourceMetadata(c, surface),
});

export const oauthRoutes: Route[] = [
  { method: "GET", path: METADATA, guard: "open", handler: serverMetadata },
  resourceRoute(RESOURCE, "mcp"),
  resourceRoute(`${RESOURCE}/mcp`, "mcp"),
  resourceRoute(`${RESOURCE}/v1`, "v1"),
  { method: "POST", path: "/oauth/token", guard: "protocol", handler: token },
  { method: "POST", path: "/oauth/register", guard: "protocol", handler: register },
];

/** Nothing here goes by what a browser adds of itself (cookies), so a page of any origin may call it. */
const ANY_ORIGIN = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "WWW-Authenticate, Retry-After, X-Request-Id",
};

const paths = new Set(oauthRoutes.map(({ path }) => path));

/** The answer to a preflight for these endpoints; null when the request is for another. */
export function oauthPreflight(request: Request): Response | null {
  // `OPTIONS *` asks about no path: its address is none.
  const path = URL.parse(request.url)?.pathname;
  if (path === undefined || !paths.has(path)) return null;
  return new Response(null, {
    status: 204,
    headers: {
      ...ANY_ORIGIN,
      "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
      "Access-Control-Allow-Headers": "Authorization, Content-Type, Accept, Mcp-Protocol-Version, X-Request-Id",
      "Access-Control-Max-Age": "86400",
    },
  });
}

/** RFC 8414. Only scopes that any user can allow are named: some clients ask for all they see. */
async function serverMetadata({ env }: Context<Http>): Promise<Response> {
  const urls = urlsOf(env);
  const response = await authorizationServer(urls).fetch(
    new Request(`${urls.issuer}${METADATA}`),
    { OAUTH_KV: oauthStorage(env) },
    {} as ExecutionContext,
  );
  const metadata = (await response.json()) as Record<string, unknown>;
  return published({
    ...metadata,
    scopes_supported: [...DEFAULT_KEY_SCOPES, "offline_access"],
    revocation_endpoint_auth_methods_supported: metadata.token_endpoint_auth_methods_supported,
  });
}

/** RFC 9728, of the resource at the origin that was asked; at one we do not know, of the issuer's. */
function resourceMetadata({ env, req }: Context<Http>, surface: Surface): Response {
  const { issuer, origins } = urlsOf(env);
  const { host } = new URL(req.url);
  const origin = origins.find((known) => new URL(known).host === host) ?? issuer;
  return published({
    resource: `${origin}/${surface}`,
    resource_name: "Waypost",
    authorization_servers: [issuer],
    scopes_supported: DEFAULT_KEY_SCOPES,
    bearer_methods_supported: ["header"],
  });
}

const published = (document: Record<string, unknown>): Response =>
  Response.json(document, { headers: { ...ANY_ORIGIN, "Cache-Control": "public, max-age=300" } });

/** Tokens and revocation. What concerns a grant is answered in its user's object, one request at a time. */
function token({ env, req }: Context<Http>): Promise<Response> {
  return limited(env, req.raw, "token", async (body) => {
    const request: TokenRequest = {
      authorization: req.raw.headers.get("authorization"),
      contentType: req.raw.headers.get("content-type"),
      body,
    };
    const grant = isForm(request) ? grantOfRequest(request) : null;
    if (!grant) return answered(await askLibrary(env, request));
    return answered(await env.AUTH.get(env.AUTH.idFromName(`user:${grant.user}`)).token(grant, request));
  });
}

/** RFC 7591. */
function register({ env, req }: Context<Http>): Promise<Response> {
  return limited(env, req.raw, "register", async (body) => {
    const { issuer } = urlsOf(env);
    const headers = { "Content-Type": req.raw.headers.get("content-type") ?? "" };
    const response = await authorizationServer(urlsOf(env)).fetch(
      new Request(`${issuer}/oauth/register`, { method: "POST", headers, body }),
      { OAUTH_KV: oauthStorage(env) },
      {} as ExecutionContext,
    );
    return answered(await replyOf(response));
  });
}

const isForm = ({ contentType }: TokenRequest): boolean =>
  (contentType ?? "").split(";")[0]?.trim().toLowerCase() === "application/x-www-form-urlencoded";

function answered({ status, headers, body }: TokenReply): Response {
  const response = new Response(body, { status, headers });
  for (const [name, value] of Object.entries(ANY_ORIGIN)) response.headers.set(name, value);
  return response;
}

const BODY_BYTES = 65_536;

/** Holds a request to its address's limit and to a sane size, and says what fails in the protocol's own words. */
async function limited(
  env: Env,
  request: Request,
  kind: "register" | "token",
  work: (body: string) => Promise<Response>,
): Promise<Response> {
  try {
    const wait = await waitOf(env, request.headers, kind);
    if (wait > 0) return problem(429, "temporarily_unavailable", "Too many requests from this address", wait);
    const body = await textOf(request).catch(() => undefined);
    if (body === undefined) return problem(400, "invalid_request", "The body could not be read to its end");
    if (body === null) return problem(413, "invalid_request", `The body must be at most ${BODY_BYTES} bytes`);
    return await work(body);
  } catch (error) {
    if (error instanceof WaypostError) throw error;
    logFailure("oauth", requestIdOf(request.headers), error);
    return problem(503, "temporarily_unavailable", "Try again in a few seconds", 2);
  }
}

/** The body as text; null when it is too large. */
async function textOf(request: Request): Promise<string | null> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of piecesOf(request)) {
    size += chunk.byteLength;
    if (size > BODY_BYTES) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const problem = (status: number, error: string, description: string, retryAfter?: number): Response =>
  answered({
    status,
    headers: {
      "Content-Type": "application/json",
      "Cache-Control": "no-store",
      ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
    },
    body: JSON.stringify({ error, error_description: description }),
  });
