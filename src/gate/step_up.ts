import { urlsOf } from "../auth/urls.ts";
import type { Env } from "../env.ts";

/** Where a user adds a scope to an app's grant, for clients that cannot ask again by themselves; null when the caller is no app. */
export function scopeLink(env: Env, callerId: string, scope: string): string | null {
  const grant = /^grant_(\w+)$/.exec(callerId)?.[1];
  if (!grant || !env.PUBLIC_URL) return null;
  return `${urlsOf(env).issuer}/account/apps/${grant}/scopes?add=${encodeURIComponent(scope)}`;
}
