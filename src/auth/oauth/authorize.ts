import type { AuthRequest } from "@cloudflare/workers-oauth-provider";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { SCOPE_NAMES, type Scope } from "../scopes.ts";
import type { GrantMetadata } from "./grant_records.ts";
import { oauthApi } from "./server.ts";

/** What a user allowed a client to do. */
export interface Authorization {
  /** As the library parsed and kept it, never as a form says. */
  request: AuthRequest;
  user: string;
  /** The account the client acts on. */
  account: string;
  scopes: readonly Scope[];
  clientName: string;
  /** Verified domain of a client with a metadata document. */
  clientDomain: string | null;
}

/** What a token carries beside its scopes. */
export interface TokenProps {
  account: string;
  user: string;
}

/** Installations of one client a user may have connected at a time; the longest unused make room. */
const GRANTS_PER_CLIENT = 50;

/**
 * Grants a client what the user allowed, beside whatever other installations of it hold.
 * @returns where to send the browser, with the authorization code (10 minutes, once)
 * @throws WaypostError `invalid_input` without a scope or with one that does not exist
 * @throws AuthorizationError when the request is not one the library would have parsed
 */
export async function authorize(env: Env, authorization: Authorization): Promise<string> {
  const { request, user, account, scopes, clientName, clientDomain } = authorization;
  if (scopes.length === 0 || !scopes.every((scope) => SCOPE_NAMES.includes(scope))) {
    throw new WaypostError("invalid_input", "At least one scope must be allowed, and each must exist.");
  }
  const metadata: GrantMetadata = { account, client_name: clientName, client_domain: clientDomain };
  const props: TokenProps = { account, user };
  const { redirectTo } = await oauthApi(env).completeAuthorization({
    request,
    userId: user,
    scope: [...new Set(scopes)],
    metadata,
    props,
    revokeExistingGrants: false,
  });
  await env.AUTH.get(env.AUTH.idFromName(`user:${user}`)).trimGrants(user, request.clientId, GRANTS_PER_CLIENT);
  return redirectTo;
}
