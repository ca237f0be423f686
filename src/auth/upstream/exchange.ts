import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  getValidatedIdTokenClaims,
  type JsonValue,
  processAuthorizationCodeResponse,
  processUserInfoResponse,
  type TokenEndpointResponse,
  userInfoRequest,
  validateApplicationLevelSignature,
  validateAuthResponse,
} from "oauth4webapi";
import type { Env } from "../../env.ts";
import { callbackUrl } from "./authorization.ts";
import { UpstreamFailure, upstreamFailure } from "./failure.ts";
import { githubIdentity, refuseGithubError } from "./github.ts";
import { openWire, type Wire } from "./http.ts";
import { emailAddress, type ProvenIdentity, shown } from "./identity.ts";
import type { Provider } from "./providers.ts";
import { authenticationOf, clientOf, requestOptions } from "./server.ts";
import type { Transaction } from "./transaction.ts";

/**
 * Checks a provider's answer and exchanges its code for proof of who came.
 * @param parameters the query of the callback as it came
 * @throws UpstreamFailure
 */
export async function identityFrom(
  env: Env,
  provider: Provider,
  transaction: Transaction,
  parameters: URLSearchParams,
): Promise<ProvenIdentity> {
  const { server } = transaction;
  const wire = openWire();
  const options = requestOptions(provider, wire);
  const client = clientOf(provider);
  try {
    // The state was matched when the transaction was found by it.
    const answer = validateAuthResponse(server, client, parameters, parameters.get("state") ?? "");
    const response = await authorizationCodeGrantRequest(
      server,
      client,
      authenticationOf(provider, server),
      answer,
      callbackUrl(env, provider),
      transaction.verifier,
      options,
    );
    if (response.status >= 500) throw new UpstreamFailure("unreachable", `token_${response.status}`);
    if (provider.kind === "github") {
      await refuseGithubError(response);
      const tokens = await processAuthorizationCodeResponse(server, client, response);
      return await githubIdentity(provider, tokens, wire);
    }
    const expectedNonce = transaction.nonce ?? "";
    const tokens = await processAuthorizationCodeResponse(server, client, response, { expectedNonce });
    // The library leaves the signature to TLS (OpenID Connect Core 3.1.3.7); here the issuer's key must have made it.
    await validateApplicationLevelSignature(server, response, options);
    return await oidcIdentity(provider, server, tokens, wire);
  } catch (error) {
    throw upstreamFailure(error);
  }
}

async function oidcIdentity(
  provider: Provider,
  server: AuthorizationServer,
  tokens: TokenEndpointResponse,
  wire: Wire,
): Promise<ProvenIdentity> {
  const token = getValidatedIdTokenClaims(tokens);
  // OpenID Connect Core 2: a subject has at most 255 characters.
  if (!token?.sub || token.sub.length > 255) throw new UpstreamFailure("nonsense", "no_subject");
  let facts: Record<string, JsonValue | undefined> = token;
  // OpenID Connect Core 5.4: in this flow an issuer may keep the profile for its userinfo endpoint.
  if (server.userinfo_endpoint && token.name === undefined && token.preferred_username === undefined) {
    const client = clientOf(provider);
    const response = await userInfoRequest(server, client, tokens.access_token, requestOptions(provider, wire));
    facts = { ...(await processUserInfoResponse(server, client, token.sub, response)) };
  }
  const email = facts.email_verified === true ? emailAddress(facts.email) : null;
  const name = shown(facts.name);
  return {
    issuer: token.iss,
    subject: token.sub,
    label: shown(facts.preferred_username) ?? email ?? name,
    name,
    email,
  };
}
