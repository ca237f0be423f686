import type { JWTPayload } from "jose";
import { WaypostError } from "../../errors.ts";
import { visible } from "../../visible.ts";
import { SCOPES, type Scope } from "../scopes.ts";
import type { JwtIssuer } from "./issuer.ts";

/** What a token says in our terms. */
export interface JwtFacts {
  /** The issuer's name of the person. */
  subject: string;
  /** The issuer's name of the tenant; null: the person acts for themselves. */
  tenant: string | null;
  accountName: string | null;
  /** Id of a plan, which may not exist here. */
  plan: string | null;
  scopes: Scope[];
  name: string | null;
  email: string | null;
  /** Milliseconds since the epoch; null when the token does not say. */
  issuedAt: number | null;
}

/** @throws WaypostError `unauthenticated` when the token does not name its person or tenant */
export function factsOf(claims: JWTPayload, issuer: JwtIssuer): JwtFacts {
  const { claims: at } = issuer;
  const subject = idIn(claims, at.user);
  if (subject === null) throw lacks(at.user);
  const tenant = idIn(claims, at.account);
  const needed = at.account.length > 0 && !issuer.personalFallback;
  // A tenant that cannot be read is not the same as none.
  if (tenant === null && (needed || find(claims, at.account) !== undefined)) throw lacks(at.account);
  const stated = textIn(claims, tenant === null ? at.plan : at.tenantPlan);
  return {
    subject,
    tenant,
    accountName: textIn(claims, at.accountName),
    plan: stated !== null && issuer.plans ? own(issuer.plans, stated) : stated,
    scopes: scopesIn(claims, issuer),
    name: textIn(claims, at.name),
    email: textIn(claims, at.email),
    issuedAt: claims.iat === undefined ? null : claims.iat * 1_000,
  };
}

function scopesIn(claims: JWTPayload, issuer: JwtIssuer): Scope[] {
  const stated = find(claims, issuer.claims.scopes);
  if (stated === undefined) return [...issuer.defaultScopes];
  const names = typeof stated === "string" ? stated.split(" ") : Array.isArray(stated) ? stated : [];
  const mapped = names.flatMap((name) => {
    if (typeof name !== "string") return [];
    return issuer.scopes ? (own(issuer.scopes, name) ?? []) : isScope(name) ? [name] : [];
  });
  // Who administers this installation is for it alone to say.
  return [...new Set(mapped)].filter((scope) => scope !== "admin");
}

const isScope = (name: string): name is Scope => Object.hasOwn(SCOPES, name);

/** A name that ids are derived from: taken as it is, or not at all. */
function idIn(claims: JWTPayload, paths: readonly string[]): string | null {
  const value = find(claims, paths);
  if (Number.isSafeInteger(value)) return String(value);
  return typeof value === "string" && value !== "" && value.length <= 255 ? value : null;
}

/** Words for people: without control characters, at most 200. */
function textIn(claims: JWTPayload, paths: readonly string[]): string | null {
  const value = find(claims, paths);
  if (typeof value !== "string") return null;
  return visible(value).slice(0, 200) || null;
}

function find(claims: JWTPayload, paths: readonly string[]): unknown {
  for (const path of paths) {
    const value = at(claims, path);
    if (value !== undefined && value !== null) return value;
  }
  return undefined;
}

/** The value at a path; names may have dots in them, the longest name that is there counts. */
function at(value: unknown, path: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Record<string, unknown>)[path];
  for (let dot = path.lastIndexOf("."); dot > 0; dot = path.lastIndexOf(".", dot - 1)) {
    const name = path.slice(0, dot);
    if (Object.hasOwn(value, name)) return at((value as Record<string, unknown>)[name], path.slice(dot + 1));
  }
  return undefined;
}

function own<T>(table: Readonly<Record<string, T>>, name: string): T | null {
  return Object.hasOwn(table, name) ? (table[name] as T) : null;
}

const lacks = (paths: readonly string[]): WaypostError =>
  new WaypostError("unauthenticated", `The token lacks a usable claim \`${paths[0]}\`.`);
