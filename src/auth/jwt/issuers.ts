import * as z from "zod";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { parsePlans } from "../../ledger/plans.ts";
import { clerkIssuer } from "../clerk/issuer.ts";
import { DEFAULT_KEY_SCOPES, SCOPE_NAMES, type Scope } from "../scopes.ts";
import type { JwtIssuer } from "./issuer.ts";
import { isFetchable } from "./key_set.ts";

/** Signatures anybody can check and only the issuer can make: `none` and the HMACs are not among them. */
const ALGORITHMS = [
  ...["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"],
  ...["ES256", "ES384", "ES512", "EdDSA", "Ed25519"],
] as const;

const Path = z.string().min(1).max(200);
/** No issuer decides who administers this installation. */
const GrantableScope = z.enum(SCOPE_NAMES).refine((scope) => scope !== "admin", "no issuer can give `admin`");

const IssuerSetting = z.strictObject({
  issuer: z.string().min(1).max(500),
  jwks_url: z.string().refine(isFetchable, "must be an https URL; http is for this machine alone"),
  audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]),
  algorithms: z.array(z.enum(ALGORITHMS)).min(1).default(["RS256", "ES256"]),
  claims: z
    .strictObject({
      account: Path.optional(),
      account_name: Path.optional(),
      user: Path.default("sub"),
      plan: Path.optional(),
      scopes: Path.optional(),
      name: Path.default("name"),
      email: Path.default("email"),
    })
    .prefault({}),
  plans: z.record(z.string(), z.string()).optional(),
  scopes: z.record(z.string(), z.array(GrantableScope)).optional(),
  default_scopes: z.array(GrantableScope).default(DEFAULT_KEY_SCOPES.filter((scope) => scope !== "admin")),
  default_plan: z.string().default("free"),
  clock_tolerance_s: z.number().min(0).max(300).default(30),
  provision: z.boolean().default(true),
});
const IssuersSetting = z.array(IssuerSetting);

type Issuers = ReadonlyMap<string, JwtIssuer>;
type IssuerEnv = Pick<
  Env,
  "JWT_ISSUERS" | "CLERK_ISSUER" | "CLERK_AUTHORIZED_PARTIES" | "PLANS" | "PUBLIC_URL" | "ALIAS_URLS"
>;

let parsed: { settings: string; issuers: Issuers } | undefined;

/**
 * The configured issuers by their name; empty when none is.
 * @throws WaypostError `not_configured` naming what is wrong with JWT_ISSUERS or CLERK_ISSUER
 */
export function issuersOf(env: IssuerEnv): Issuers {
  const settings = [
    ...[env.JWT_ISSUERS, env.CLERK_ISSUER, env.CLERK_AUTHORIZED_PARTIES],
    ...[env.PLANS, env.PUBLIC_URL, env.ALIAS_URLS],
  ].join("\n");
  if (parsed?.settings !== settings) parsed = { settings, issuers: parseIssuers(env) };
  return parsed.issuers;
}

function parseIssuers(env: IssuerEnv): Issuers {
  const issuers = new Map<string, JwtIssuer>();
  const clerk = clerkIssuer(env);
  if (clerk) issuers.set(clerk.issuer, clerk);
  const plans = parsePlans(env.PLANS);
  for (const [i, setting] of readSetting(env.JWT_ISSUERS).entries()) {
    if (issuers.has(setting.issuer))
      throw wrong(`[${i}].issuer: there is another entry, or CLERK_ISSUER, of this name`);
    const unknown = [setting.default_plan, ...Object.values(setting.plans ?? {})].find((plan) => !plans.has(plan));
    if (unknown !== undefined) throw wrong(`[${i}]: there is no plan "${unknown}"`);
    issuers.set(setting.issuer, issuerOf(setting));
  }
  return issuers;
}

function readSetting(value: string | undefined): z.output<typeof IssuersSetting> {
  if (!value?.trim()) return [];
  let json: unknown;
  try {
    json = JSON.parse(value);
  } catch {
    throw wrong(": must be a JSON array");
  }
  const result = IssuersSetting.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const place = (issue?.path ?? []).map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  throw wrong(`${place.join("")}: ${issue?.message ?? "is not of its form"}`);
}

function issuerOf(setting: z.output<typeof IssuerSetting>): JwtIssuer {
  const { claims } = setting;
  const plan = listOf(claims.plan);
  return {
    issuer: setting.issuer,
    jwksUrl: setting.jwks_url,
    algorithms: setting.algorithms,
    audience: typeof setting.audience === "string" ? [setting.audience] : setting.audience,
    types: ["jwt", "at+jwt", "application/at+jwt"],
    claims: {
      user: [claims.user],
      account: listOf(claims.account),
      accountName: listOf(claims.account_name),
      plan,
      tenantPlan: plan,
      scopes: listOf(claims.scopes),
      name: [claims.name],
      email: [claims.email],
    },
    personalFallback: false,
    plans: setting.plans ?? null,
    scopes: (setting.scopes as Record<string, Scope[]> | undefined) ?? null,
    defaultScopes: setting.default_scopes,
    defaultPlan: setting.default_plan,
    clockToleranceS: setting.clock_tolerance_s,
    provision: setting.provision,
  };
}

const listOf = (path: string | undefined): string[] => (path === undefined ? [] : [path]);

const wrong = (what: string): WaypostError => new WaypostError("not_configured", `JWT_ISSUERS${what}.`);
