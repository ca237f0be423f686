import type { JWTPayload } from "jose";
import type { Scope } from "../scopes.ts";

/** An issuer whose JWTs are accepted on `/v1`, as configured. */
export interface JwtIssuer {
  /** Exactly the `iss` claim of its tokens. */
  issuer: string;
  jwksUrl: string;
  /** JWS algorithms, all of them asymmetric (RFC 7518 3.1, RFC 8037). */
  algorithms: readonly string[];
  /** A token must be meant for one of these; null when `check` decides that. */
  audience: readonly string[] | null;
  /** `typ` headers that are accepted besides none, in lower case. */
  types: readonly string[];
  claims: ClaimPaths;
  /** A token without a tenant is for the person's own account; otherwise it is refused, when a tenant claim is configured. */
  personalFallback: boolean;
  /** The issuer's name of a plan -> ours; null: the names are the same. */
  plans: Readonly<Record<string, string>> | null;
  /** The issuer's name of a permission -> our scopes; null: the names are the same. */
  scopes: Readonly<Record<string, readonly Scope[]>> | null;
  /** Scopes of a token that states none. */
  defaultScopes: readonly Scope[];
  /** Plan of a new account when the token states none that exists. */
  defaultPlan: string;
  clockToleranceS: number;
  /** Whether an account is opened for somebody new. */
  provision: boolean;
  /** What else must hold of verified claims. @throws WaypostError `unauthenticated` */
  check?: (claims: JWTPayload) => void;
}

/**
 * Where in the claims each fact is: paths with dots, the first that is there counts. An empty list: not stated.
 * A claim whose name has dots in it, such as `https://company.example/plan`, is found too.
 */
export interface ClaimPaths {
  /** Names the person. */
  user: readonly string[];
  /** Names the tenant; empty: every person has an account to themselves. */
  account: readonly string[];
  accountName: readonly string[];
  plan: readonly string[];
  /** As `plan`, for tokens that act for a tenant. */
  tenantPlan: readonly string[];
  scopes: readonly string[];
  name: readonly string[];
  email: readonly string[];
}
