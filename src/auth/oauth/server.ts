import {
  AuthorizationError,
  type AuthRequest,
  type ClientRegistrationCallbackOptions,
  GrantType,
  OAuthAuthorizationServer,
  type OAuthHelpers,
  type TokenExchangeCallbackOptions,
} from "@cloudflare/workers-oauth-provider";
import "./outbound.ts";
import type { Env } from "../../env.ts";
import { DEFAULT_KEY_SCOPES, SCOPE_NAMES, type Scope } from "../scopes.ts";
import { resourcesOf, type Urls, urlsOf } from "../urls.ts";
import { REFRESH_IDLE_SECONDS } from "./grant_records.ts";
import { logOAuth } from "./log.ts";
import { acceptableRedirect } from "./redirects.ts";
import { type OAuthStorage, oauthStorage } from "./storage.ts";

/** What the library needs of an environment. */
export interface OAuthEnv {
  OAUTH_KV: OAuthStorage;
}

const ACCESS_SECONDS = 3_600;

const servers = new WeakMap<Urls, OAuthAuthorizationServer<OAuthEnv>>();

/** The authorization server of an installation: RFC 6749, 7009, 7591, 7636, 8414, 8707, 9207, Client ID Metadata Documents. */
export function authorizationServer(urls: Urls): OAuthAuthorizationServer<OAuthEnv> {
  let server = servers.get(urls);
  if (!server) {
    server = new OAuthAuthorizationServer<OAuthEnv>({
      issuer: urls.issuer,
      resources: [...resourcesOf(urls, "mcp"), ...resourcesOf(urls, "v1")],
      defaultResource: `${urls.issuer}/mcp`,
      authorizeEndpoint: "/oauth/authorize",
      tokenEndpoint: "/oauth/token",
      clientRegistrationEndpoint: "/oauth/register",
      scopesSupported: [...SCOPE_NAMES],
      clientIdMetadataDocumentEnabled: true,
      allowPrivateUseRedirectUris: true,
      accessTokenTTL: ACCESS_SECONDS,
      refreshTokenTTL: REFRESH_IDLE_SECONDS,
      refreshTokenIdleTTL: REFRESH_IDLE_SECONDS,
      tokenExchangeCallback,
      clientRegistrationCallback,
      onError,
    });
    servers.set(urls, server);
  }
  return server;
}

/**
 * The library's helpers for the authorization endpoint, held to what this server adds: PKCE from every client, no
 * parameter twice, redirect targets that `acceptableRedirect` takes. The request may have come in by any of our origins.
 */
export function oauthApi(env: Env): OAuthHelpers {
  const urls = urlsOf(env);
  const helpers = authorizationServer(urls).getOAuthApi({ OAUTH_KV: oauthStorage(env) });
  const checked: Pick<OAuthHelpers, "parseAuthRequest" | "completeAuthorization"> = {
    async parseAuthRequest(request) {
      const { pathname, search, searchParams } = new URL(request.url);
      refuseRepeated(searchParams);
      const parsed = await helpers.parseAuthRequest(new Request(`${urls.issuer}${pathname}${search}`));
      refuseUnsafe(parsed);
      return parsed;
    },
    async completeAuthorization(options) {
      refuseUnsafe(options.request);
      return helpers.completeAuthorization(options);
    },
  };
  return Object.assign(Object.create(helpers) as OAuthHelpers, checked);
}

/**
 * The scopes to offer for a request: those it asks for that there are. A request that names none of ours (or nothing
 * but `offline_access`) is offered what a key gets by default, with `offline_access`.
 */
export function requestedScopes(request: Pick<AuthRequest, "scope">): Scope[] {
  const asked = SCOPE_NAMES.filter((scope) => request.scope.includes(scope));
  return asked.some((scope) => scope !== "offline_access") ? asked : [...DEFAULT_KEY_SCOPES, "offline_access"];
}

/** RFC 6749 3.1: only `resource` may come more than once (RFC 8707), and what that means is the library's to say. */
function refuseRepeated(parameters: URLSearchParams): void {
  for (const name of new Set(parameters.keys())) {
    if (name !== "resource" && parameters.getAll(name).length > 1) {
      throw new AuthorizationError("invalid_request", { description: "A parameter came more than once" });
    }
  }
}

function refuseUnsafe({ redirectUri, codeChallenge, state, issuer }: AuthRequest): void {
  if (!acceptableRedirect(redirectUri)) {
    throw new AuthorizationError("invalid_request", { description: "Invalid redirect URI" });
  }
  // The library takes no method but S256, from those who send a challenge; a hash has 43 characters.
  if (!/^[\w-]{43}$/.test(codeChallenge ?? "")) {
    throw new AuthorizationError("invalid_request", {
      description: "PKCE is required: send a code_challenge with code_challenge_method S256",
      redirectUri,
      ...(state ? { state } : {}),
      ...(issuer ? { issuer } : {}),
    });
  }
}

/** Who did not allow `offline_access` gets no refresh token. */
function tokenExchangeCallback({ grantType, scope }: TokenExchangeCallbackOptions<OAuthEnv>) {
  if (grantType !== GrantType.AUTHORIZATION_CODE || scope.includes("offline_access")) return;
  return { refreshTokenTTL: 0 };
}

/** The library stores targets that no request can use beside ones that can; the dangerous ones refuse the whole client. */
function clientRegistrationCallback({ clientMetadata }: ClientRegistrationCallbackOptions) {
  const targets = clientMetadata.redirect_uris as string[];
  const listable = (target: string) => acceptableRedirect(target) || /^http:\/\//i.test(target);
  if (targets.every(listable) && targets.some(acceptableRedirect)) return;
  return {
    code: "invalid_redirect_uri",
    description: "A redirect URI is https, http on a loopback host, or an app's own scheme; no fragment, no userinfo",
  };
}

interface LibraryError {
  code: string;
  status: number;
  internal: { category: string; reason: string };
}

function onError({ code, status, internal }: LibraryError): Response | undefined {
  logOAuth({ action: "refused", status, error: code, reason: `${internal.category}/${internal.reason}` });
  // The client's own host being down is no reason to tell the client that it does not exist: it would drop its tokens.
  if (internal.category !== "client-id-metadata-document") return;
  return Response.json(
    { error: "temporarily_unavailable", error_description: "The client's metadata document cannot be had" },
    { status: 503, headers: { "Retry-After": "30", "Cache-Control": "no-store" } },
  );
}
