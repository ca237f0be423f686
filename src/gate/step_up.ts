import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** Where a user adds a scope to an app's grant, for clients that cannot ask again by themselves; null when the caller is no app. */
export function scopeLink(env: Env, callerId: string, scope: string): string | null {
  const grant = /^grant_([\w-]+)$/.exec(callerId)?.[1];
  if (!grant || !env.PUBLIC_URL) return null;
  return `${urlsOf(env).issuer}/account/apps/${grant}/scopes?add=${encodeURIComponent(scope)}`;
}

/** The link in words too: many clients show a message and nothing else. */
export const allowedAt = (detail: string, link: string): string => `${detail} The user can allow it at ${link}`;

/** What a caller whose token was verified is told when it lacks a scope. */
export function lacksScope(env: Env, callerId: string, scope: string): WaypostError {
  const link = scopeLink(env, callerId, scope);
  const detail = `This needs the scope \`${scope}\`.`;
  return new WaypostError("insufficient_scope", link ? allowedAt(detail, link) : detail, {
    required_scope: scope,
    ...(link ? { grant_scope_url: link } : {}),
  });
}
