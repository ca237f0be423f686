import {
  type AuthorizationServer,
  allowInsecureRequests,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  clockTolerance,
  customFetch,
  discoveryRequest,
  None,
  processDiscoveryResponse,
} from "oauth4webapi";
import { UpstreamFailure, upstreamFailure } from "./failure.ts";
import { isLoopback, trustedUrl, type Wire } from "./http.ts";
import type { OidcProvider, Provider } from "./providers.ts";

/** Signatures of ID tokens that are accepted: asymmetric ones alone, so that a public key is never taken for a secret. */
const ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];
/** Seconds by which an issuer's clock may differ. */
const CLOCK_TOLERANCE_S = 30;

/** A server with the endpoints a sign-in needs. */
export type SignInServer = AuthorizationServer & { authorization_endpoint: string };

/** The provider's server: GitHub's is known, an issuer's is discovered anew for each sign-in. @throws UpstreamFailure */
export async function serverOf(provider: Provider, wire: Wire): Promise<SignInServer> {
  if (provider.kind === "oidc") return discovered(provider, wire);
  return {
    // What GitHub names itself in its answers (RFC 9207); the older of its Enterprise Servers do not.
    issuer: `${provider.webUrl}/login/oauth`,
    authorization_endpoint: `${provider.webUrl}/login/oauth/authorize`,
    token_endpoint: `${provider.webUrl}/login/oauth/access_token`,
  };
}

export function clientOf(provider: Provider): Client {
  return { client_id: provider.clientId, [clockTolerance]: CLOCK_TOLERANCE_S };
}

/** How this server proves to be the client: as the issuer's metadata prefers (RFC 8414: Basic when it says nothing). */
export function authenticationOf(provider: Provider, server: AuthorizationServer): ClientAuth {
  if (provider.clientSecret === null) return None();
  if (provider.kind === "github") return ClientSecretPost(provider.clientSecret);
  const methods = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
  const post = !methods.includes("client_secret_basic") && methods.includes("client_secret_post");
  return post ? ClientSecretPost(provider.clientSecret) : ClientSecretBasic(provider.clientSecret);
}

/** Options of every request to the provider. Only a provider on this machine may be spoken to without TLS. */
export function requestOptions(provider: Provider, wire: Wire) {
  return {
    signal: wire.signal,
    [customFetch]: wire.fetch,
    [allowInsecureRequests]: isLoopback(new URL(provider.issuer)),
  };
}

async function discovered(provider: OidcProvider, wire: Wire): Promise<SignInServer> {
  const issuer = new URL(provider.issuer);
  let metadata: AuthorizationServer;
  try {
    const response = await discoveryRequest(issuer, requestOptions(provider, wire));
    if (response.status >= 500) throw new UpstreamFailure("unreachable", `discovery_${response.status}`);
    metadata = await processDiscoveryResponse(issuer, response);
  } catch (error) {
    throw upstreamFailure(error);
  }
  // OpenID Connect Discovery 4.3: to the letter, as users are known by it; the library lets a final slash pass.
  if (metadata.issuer !== provider.issuer) throw new UpstreamFailure("untrusted", "issuer_differs");
  const endpoint = (name: "authorization_endpoint" | "token_endpoint" | "jwks_uri"): string => {
    const url = metadata[name];
    if (typeof url !== "string" || !trustedUrl(url)) throw new UpstreamFailure("nonsense", `metadata_${name}`);
    return url;
  };
  const { token_endpoint_auth_methods_supported: methods, id_token_signing_alg_values_supported: signs } = metadata;
  return {
    issuer: metadata.issuer,
    authorization_endpoint: endpoint("authorization_endpoint"),
    token_endpoint: endpoint("token_endpoint"),
    jwks_uri: endpoint("jwks_uri"),
    authorization_response_iss_parameter_supported: metadata.authorization_response_iss_parameter_supported === true,
    id_token_signing_alg_values_supported: (Array.isArray(signs) ? signs : ["RS256"]).filter((name) =>
      ALGORITHMS.includes(name),
    ),
    ...(Array.isArray(methods) ? { token_endpoint_auth_methods_supported: methods } : {}),
    ...(metadata.userinfo_endpoint ? { userinfo_endpoint: metadata.userinfo_endpoint } : {}),
  };
}
