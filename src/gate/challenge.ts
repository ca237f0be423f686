import type { Surface } from "../auth/bearer.ts";
import { DEFAULT_KEY_SCOPES } from "../auth/scopes.ts";
import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import type { WaypostError } from "../errors.ts";

/**
 * `WWW-Authenticate` of a refusal (RFC 6750 3), as far as the error knows it: `addressed` adds where to get a token.
 * A scope challenge names what the credential has as well: a client asks for the whole list again, and must not lose any.
 */
export function challengeOf(error: WaypostError): string | null {
  if (error.status === 401) return 'Bearer realm="waypost", error="invalid_token"';
  const { required_scope: required, granted_scopes: granted } = error.extras;
  if (error.code !== "insufficient_scope" || !required) return null;
  const scopes = [...new Set([...((granted as string[] | undefined) ?? []), required])];
  const { grant_scope_url: link } = error.extras;
  // For clients that read of a refusal nothing but its challenge.
  const description = link ? `, error_description="The user can allow it at ${link}"` : "";
  return `Bearer realm="waypost", error="insufficient_scope", scope="${scopes.join(" ")}"${description}`;
}

/** The answer with its challenge completed: the metadata of the resource that was addressed (RFC 9728 5.1) and, where nothing was presented, what to ask for. */
export function addressed(env: Env, request: Request, surface: Surface, response: Response): Response {
  const challenge = response.headers.get("www-authenticate");
  if (!challenge?.startsWith("Bearer") || !env.PUBLIC_URL) return response;
  const { issuer, origins } = urlsOf(env);
  const origin = origins.find((known) => request.url.startsWith(`${known}/`)) ?? issuer;
  const metadata = `resource_metadata="${origin}/.well-known/oauth-protected-resource/${surface}"`;
  const presented = request.headers.has("authorization") ? challenge : 'Bearer realm="waypost"';
  const scope = challenge.includes("scope=") ? "" : `, scope="${DEFAULT_KEY_SCOPES.join(" ")}"`;
  const headers = new Headers(response.headers);
  headers.set("WWW-Authenticate", `${presented}${scope}, ${metadata}`);
  return new Response(response.body, { status: response.status, headers });
}
