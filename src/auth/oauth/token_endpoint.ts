import type { Env } from "../../env.ts";
import type { AuthStore } from "../store/auth_store.ts";
import { urlsOf } from "../urls.ts";
import { type GrantRecords, REFRESH_IDLE_SECONDS } from "./grant_records.ts";
import { open, seal } from "./kept_answers.ts";
import { logOAuth } from "./log.ts";
import { authorizationServer } from "./server.ts";
import { oauthStorage } from "./storage.ts";
import { authenticationOnly, clientOf, refreshOf, type TokenReply, type TokenRequest } from "./token_request.ts";
import { type GrantName, hashOf } from "./tokens.ts";

/** The user's object, in which the grants are. */
export interface TokenContext {
  env: Env;
  store: Pick<AuthStore, "read" | "write" | "writeNew" | "remove" | "names">;
  grants: GrantRecords;
}

/** How long a refresh token that was rotated still gets the answer it got: what parallel requests of one client need. */
export const GRACE_MS = 60_000;

/**
 * Answers a request about one grant. The caller lets only one of them run at a time: a code is redeemed once, and every
 * later attempt ends the grant (RFC 6749 4.1.2).
 *
 * A refresh token works once. Presented again within the grace it gets the same answer again; after that its reuse means
 * that somebody has it who should not, and ends the grant with all its tokens (RFC 9700 4.14).
 */
export async function answerTokenRequest(
  context: TokenContext,
  grant: GrantName,
  request: TokenRequest,
): Promise<TokenReply> {
  const refresh = refreshOf(request);
  if (!refresh) return library(context, grant, request);
  const hash = await hashOf(refresh.token);
  const client = clientOf(request);
  const presented = { refreshToken: refresh.token, client, scope: refresh.scope, resource: refresh.resource };
  if ((await context.store.read(rotated(grant, hash))) !== null) {
    return reused(context, grant, request, hash, presented);
  }
  const reply = await library(context, grant, request);
  if (reply.status === 200) {
    const now = Date.now();
    const sealed = await seal(presented, reply.body, now);
    await context.store.write(rotated(grant, hash), "", { expiresAt: now + REFRESH_IDLE_SECONDS * 1_000 });
    await context.store.write(answer(grant, hash), sealed, { expiresAt: now + GRACE_MS });
  }
  return reply;
}

async function reused(
  context: TokenContext,
  grant: GrantName,
  request: TokenRequest,
  hash: string,
  presented: Parameters<typeof open>[0],
): Promise<TokenReply> {
  const authenticated = await library(context, grant, authenticationOnly(request));
  if (authenticated.status !== 200) return authenticated;
  const sealed = await context.store.read(answer(grant, hash));
  if (sealed !== null) {
    const body = await open(presented, sealed);
    return body === null ? invalidGrant("The refresh token was used for another request") : json(200, body);
  }
  context.grants.revoke(grant.user, grant.grant);
  logOAuth({ action: "refresh_reuse", user: grant.user, grant: grant.grant, client: presented.client });
  return invalidGrant("The refresh token was used before; the authorization is revoked");
}

async function library({ env, store }: TokenContext, { user }: GrantName, request: TokenRequest): Promise<TokenReply> {
  return askLibrary(env, request, { user, store });
}

/** Puts a request to the library as it is. @param here the user's object, when this runs in it */
export async function askLibrary(
  env: Env,
  { authorization, contentType, body }: TokenRequest,
  here?: Parameters<typeof oauthStorage>[1],
): Promise<TokenReply> {
  const urls = urlsOf(env);
  const headers = new Headers();
  if (authorization !== null) headers.set("Authorization", authorization);
  if (contentType !== null) headers.set("Content-Type", contentType);
  const response = await authorizationServer(urls).fetch(
    new Request(`${urls.issuer}/oauth/token`, { method: "POST", headers, body }),
    { OAUTH_KV: oauthStorage(env, here) },
    noContext,
  );
  return replyOf(response);
}

/** A response in a form that crosses between objects. */
export const replyOf = async (response: Response): Promise<TokenReply> => ({
  status: response.status,
  headers: Object.fromEntries(response.headers),
  body: await response.text(),
});

/** The library takes a context for handlers of resources, which it does not serve here. */
const noContext = { waitUntil() {}, passThroughOnException() {} } as unknown as ExecutionContext;

const rotated = ({ grant }: GrantName, hash: string): string => `rotated:${grant}:${hash}`;
const answer = ({ grant }: GrantName, hash: string): string => `answer:${grant}:${hash}`;

const invalidGrant = (description: string): TokenReply =>
  json(400, JSON.stringify({ error: "invalid_grant", error_description: description }));

const json = (status: number, body: string): TokenReply => ({
  status,
  headers: { "Content-Type": "application/json", "Cache-Control": "no-store", Pragma: "no-cache" },
  body,
});
