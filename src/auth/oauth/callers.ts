import type { TokenSummary } from "@cloudflare/workers-oauth-provider";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import type { Credential, Surface } from "../bearer.ts";
import { resourcesOf, urlsOf } from "../urls.ts";
import type { TokenProps } from "./authorize.ts";
import { authorizationServer } from "./server.ts";
import type { OAuthStorage } from "./storage.ts";
import { type GrantName, grantOf } from "./tokens.ts";

/**
 * Who an access token stands for. Nothing is cached: a token that was revoked is refused from the next call on.
 * @throws WaypostError `unauthenticated` when the token is not (or no longer) good, or is good for another resource;
 * `unavailable` when its record cannot be read
 */
export async function callerOfToken(env: Env, token: string, surface: Surface): Promise<Credential> {
  const urls = urlsOf(env);
  const name = grantOf(token);
  const summary = name && (await summaryOf(env, name, token));
  if (!summary) {
    throw new WaypostError("unauthenticated", "The access token has expired, was revoked, or is none.");
  }
  if (!resourcesOf(urls, surface).includes(String(summary.audience))) {
    throw new WaypostError("unauthenticated", "The access token was issued for another resource.");
  }
  const { account, user } = summary.grant.props;
  return { account, caller: { verified: { id: `grant_${summary.grantId}`, user, scopes: summary.scope } } };
}

async function summaryOf(env: Env, name: GrantName, token: string): Promise<TokenSummary<TokenProps> | null> {
  try {
    const helpers = authorizationServer(urlsOf(env)).getOAuthApi({ OAUTH_KV: usesOf(env, name) });
    return await helpers.unwrapToken<TokenProps>(token);
  } catch {
    throw new WaypostError("unavailable", "The access token cannot be checked at the moment.", { retry_after: 2 });
  }
}

/** Token records as a call reads them: the read counts as a use of the grant. */
function usesOf(env: Env, { user, grant }: GrantName): OAuthStorage {
  const refuse = () => Promise.reject(new Error("a call only reads its own token"));
  return {
    // biome-ignore lint/suspicious/noExplicitAny: the overloads say what comes back
    async get(record: string): Promise<any> {
      const value = await env.AUTH.get(env.AUTH.idFromName(`user:${user}`)).useToken(grant, record);
      return value === null ? null : JSON.parse(value);
    },
    put: refuse,
    delete: refuse,
    list: refuse,
  };
}
