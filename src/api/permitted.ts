import type { Scope } from "../auth/scopes.ts";
import { WaypostError } from "../errors.ts";
import type { Identity } from "../ledger/types.ts";

/**
 * The caller, if their credential has a scope: for routes that are no calls of their own.
 * @throws WaypostError `insufficient_scope`
 */
export function permitted(identity: Identity, scope: Scope): Identity {
  if (identity.scopes.includes(scope)) return identity;
  throw new WaypostError("insufficient_scope", `This needs the scope "${scope}".`, {
    required_scope: scope,
    granted_scopes: identity.scopes,
  });
}
