import type { JWTPayload } from "jose";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import type { JwtIssuer } from "../jwt/issuer.ts";
import { isFetchable } from "../jwt/key_set.ts";
import { DEFAULT_KEY_SCOPES } from "../scopes.ts";
import { resourcesOf, urlsOf } from "../urls.ts";

type ClerkEnv = Pick<Env, "CLERK_ISSUER" | "CLERK_AUTHORIZED_PARTIES" | "PUBLIC_URL" | "ALIAS_URLS">;

/**
 * Clerk as an issuer, from CLERK_ISSUER alone; null when it is not set. Its session tokens have no `aud` but `azp`, `sub`
 * is the user, and the active organization, if there is one, is the tenant (`o.id`, in older tokens `org_id`). Plan and
 * scopes are read from public metadata, if the session token is customized to carry it as `metadata`.
 * @throws WaypostError `not_configured` when CLERK_ISSUER is no https URL (or a loopback one)
 */
export function clerkIssuer(env: ClerkEnv): JwtIssuer | null {
  const issuer = clerkIssuerName(env);
  if (issuer === null) return null;
  const parties = (env.CLERK_AUTHORIZED_PARTIES ?? "").split(",").flatMap((party) => party.trim() || []);
  return {
    issuer,
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    algorithms: ["RS256"],
    audience: null,
    // Clerk's OAuth access tokens are `at+jwt`: what a third party was given is no session.
    types: ["jwt"],
    claims: {
      user: ["sub"],
      account: ["o.id", "org_id"],
      accountName: ["o.slg", "org_slug"],
      plan: ["metadata.plan", "public_metadata.plan"],
      // A member's own plan is not that of the organization.
      tenantPlan: ["org_metadata.plan"],
      scopes: ["metadata.scopes", "public_metadata.scopes"],
      name: ["name"],
      email: ["email"],
    },
    personalFallback: true,
    plans: null,
    scopes: null,
    defaultScopes: DEFAULT_KEY_SCOPES,
    defaultPlan: "free",
    clockToleranceS: 30,
    provision: true,
    check: (claims) => checkSession(claims, parties, env),
  };
}

/** CLERK_ISSUER as it stands in `iss`, without a slash at the end; null when it is not set. @throws as `clerkIssuer` */
export function clerkIssuerName(env: Pick<Env, "CLERK_ISSUER">): string | null {
  const text = env.CLERK_ISSUER?.trim();
  if (!text) return null;
  if (!isFetchable(text) || text.includes("?")) {
    throw new WaypostError("not_configured", "CLERK_ISSUER must be Clerk's Frontend API URL, with https.");
  }
  return text.replace(/\/+$/, "");
}

function checkSession(claims: JWTPayload, parties: readonly string[], env: ClerkEnv): void {
  const audience = [claims.aud ?? []].flat();
  const ours = () => urlsOf(env).origins.concat(resourcesOf(urlsOf(env), "v1"));
  const forUs = audience.length > 0 && ours().some((url) => audience.includes(url));
  // A token from a JWT template is for the service the template was made for, which is what its `aud` says.
  if (audience.length > 0 && !forUs) throw refused("The token is meant for another audience.");
  if (!forUs && typeof claims.sid !== "string") throw refused("The token is not a session token.");
  if (claims.sts !== undefined && claims.sts !== "active") throw refused("The session is not active yet.");
  if (parties.length > 0 && !(typeof claims.azp === "string" && parties.includes(claims.azp))) {
    throw refused("The token was issued to a party that is not authorized (`azp`).");
  }
}

const refused = (detail: string): WaypostError => new WaypostError("unauthenticated", detail);
