import { calculatePKCECodeChallenge, generateRandomCodeVerifier, generateRandomNonce } from "oauth4webapi";
import type { Env } from "../../env.ts";
import { urlsOf } from "../urls.ts";
import { upstreamFailure } from "./failure.ts";
import { openWire } from "./http.ts";
import type { Provider } from "./providers.ts";
import { type SignInServer, serverOf } from "./server.ts";
import { keep, newState, type Purpose } from "./transaction.ts";

/** Where a provider sends people back to: one address a provider, so that an answer is never taken for another's. */
export const callbackUrl = (env: Env, provider: Provider): string =>
  `${urlsOf(env).issuer}/sign-in/callback/${provider.id}`;

/**
 * Begins a sign-in at a provider.
 * @returns the URL to send the browser to, and the `Set-Cookie` value that must go with it
 * @throws UpstreamFailure when the provider cannot be reached or makes no sense
 */
export async function beginSignIn(
  env: Env,
  request: Request,
  provider: Provider,
  purpose: Purpose,
): Promise<{ url: string; cookie: string }> {
  const server = await serverOf(provider, openWire()).catch((error) => {
    throw upstreamFailure(error);
  });
  const state = newState();
  const verifier = generateRandomCodeVerifier();
  const nonce = provider.kind === "oidc" ? generateRandomNonce() : null;
  const url = await authorizationUrl(env, provider, server, { state, verifier, nonce });
  const { cookie } = await keep(env, request, state, { ...purpose, provider: provider.id, verifier, nonce, server });
  return { url, cookie };
}

async function authorizationUrl(
  env: Env,
  provider: Provider,
  server: SignInServer,
  { state, verifier, nonce }: { state: string; verifier: string; nonce: string | null },
): Promise<string> {
  const url = new URL(server.authorization_endpoint);
  const parameters = {
    response_type: "code",
    client_id: provider.clientId,
    redirect_uri: callbackUrl(env, provider),
    scope: provider.kind === "oidc" ? "openid profile email" : "user:email",
    state,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...(nonce === null ? {} : { nonce }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
