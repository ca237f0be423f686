import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** Where a user adds a scope to an app's grant, for clients that cannot ask again by themselves; null when the caller is no app. */
export function scopeLink(env: Env, callerId: string, scope: string): string | null {
  const grant = /^grant_(\w+)$/.exec(callerId)?.[1];
  if (!grant || !env.PUBLIC_URL) return null;
  return `${urlsOf(env).issuer}/account/apps/${grant}/scopes?add=${encodeURIComponent(scope)}`;
}

/** What a caller whose token was verified is told when it lacks a scope. */
export function lacksScope(env: Env, callerId: string, scope: string): WaypostError {
  const link = scopeLink(env, callerId, scope);
  return new WaypostError("insufficient_scope", `This needs the scope \`${scope}\`.`, {
    required_scope: scope,
    ...(link ? { grant_scope_url: link } : {}),
  });
}
