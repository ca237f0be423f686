import type { Membership } from "../auth/directory.ts";
import type { Scope } from "../auth/scopes.ts";

/** Whether a member may let an app have a scope on that account. Asked when a page is shown, and again when it is sent. */
export function grantable(scope: Scope, { role, operator }: Membership): boolean {
  const manages = role === "owner" || role === "admin";
  if (scope === "admin") return manages && operator;
  if (scope === "account" || scope === "usage:ingest") return manages;
  return true;
}
