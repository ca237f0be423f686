import * as z from "zod";
import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";
import { trustedUrl } from "./http.ts";

/** Somebody else's sign-in that this installation trusts to say who a person is. */
export type Provider = GithubProvider | OidcProvider;

interface ProviderCommon {
  /** In paths: `/sign-in/with/<id>`. */
  id: string;
  /** What people call it. */
  name: string;
  clientId: string;
}

export interface GithubProvider extends ProviderCommon {
  kind: "github";
  /** Issuer of the identities: the origin of GITHUB_URL. */
  issuer: string;
  /** Base of GitHub's web pages and of its API, without a slash at the end. */
  webUrl: string;
  apiUrl: string;
  clientSecret: string;
}

export interface OidcProvider extends ProviderCommon {
  kind: "oidc";
  /** As configured; the ID token must name what the issuer's own metadata says, which must be the same URL. */
  issuer: string;
  /** Null for a public client. */
  clientSecret: string | null;
}

type Settings = Pick<
  Env,
  "GITHUB_CLIENT_ID" | "GITHUB_CLIENT_SECRET" | "GITHUB_URL" | "GITHUB_API_URL" | "OIDC_ISSUERS"
>;

const OidcIssuers = z.array(
  z.strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9_-]{0,31}$/, "must be 1 to 32 of a-z, 0-9, - and _")
      .refine((id) => id !== "github", "must not be `github`"),
    name: z.string().trim().min(1).max(60),
    issuer: z
      .string()
      .refine(
        (issuer) => trustedUrl(issuer) !== null && !/[?#]/.test(issuer),
        "must be an https URL without query or fragment (http is for this machine alone)",
      ),
    client_id: z.string().min(1),
    client_secret: z.string().min(1).optional(),
  }),
);

const parsed = new Map<string, Provider[]>();

/**
 * The configured providers, GitHub first, in the order of the settings.
 * @throws WaypostError `not_configured`, which names the setting that is wrong
 */
export function providers(env: Settings): Provider[] {
  const { GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET, GITHUB_URL, GITHUB_API_URL, OIDC_ISSUERS } = env;
  const key = JSON.stringify([GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET, GITHUB_URL, GITHUB_API_URL, OIDC_ISSUERS]);
  let known = parsed.get(key);
  if (!known) {
    known = [...github(env), ...oidc(OIDC_ISSUERS)];
    parsed.set(key, known);
  }
  return known;
}

/** @throws WaypostError `not_configured`, or `unknown_route` when there is no such provider */
export function providerOf(env: Settings, id: string): Provider {
  const provider = providers(env).find((candidate) => candidate.id === id);
  if (!provider) throw new WaypostError("unknown_route", "There is no such way to sign in here.");
  return provider;
}

function github(env: Settings): GithubProvider[] {
  const { GITHUB_CLIENT_ID: clientId, GITHUB_CLIENT_SECRET: clientSecret } = env;
  if (!clientId && !clientSecret) return [];
  if (!clientId) throw new WaypostError("not_configured", "GITHUB_CLIENT_SECRET is set, GITHUB_CLIENT_ID is not.");
  if (!clientSecret) throw new WaypostError("not_configured", "GITHUB_CLIENT_ID is set, GITHUB_CLIENT_SECRET is not.");
  const webUrl = baseUrl(env.GITHUB_URL || "https://github.com", "GITHUB_URL");
  // GitHub Enterprise Server has its API under its web address.
  const defaultApi = webUrl === "https://github.com" ? "https://api.github.com" : `${webUrl}/api/v3`;
  const apiUrl = baseUrl(env.GITHUB_API_URL || defaultApi, "GITHUB_API_URL");
  const issuer = new URL(webUrl).origin;
  return [{ kind: "github", id: "github", name: "GitHub", issuer, webUrl, apiUrl, clientId, clientSecret }];
}

function oidc(setting: string | undefined): OidcProvider[] {
  if (!setting?.trim()) return [];
  let value: unknown;
  try {
    value = JSON.parse(setting);
  } catch {
    throw new WaypostError("not_configured", "OIDC_ISSUERS is not valid JSON.");
  }
  const result = OidcIssuers.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    const at = issue?.path.join(".") || "the value";
    throw new WaypostError("not_configured", `OIDC_ISSUERS: ${at}: ${issue?.message ?? "is not acceptable"}.`);
  }
  const ids = new Set(result.data.map((issuer) => issuer.id));
  if (ids.size < result.data.length) throw new WaypostError("not_configured", "OIDC_ISSUERS names an id twice.");
  return result.data.map(({ id, name, issuer, client_id, client_secret }) => ({
    kind: "oidc",
    id,
    name,
    issuer,
    clientId: client_id,
    clientSecret: client_secret ?? null,
  }));
}

function baseUrl(value: string, name: string): string {
  const url = trustedUrl(value);
  if (url === null || /[?#]/.test(value)) {
    throw new WaypostError("not_configured", `${name} must be an https URL; http is for this machine alone.`);
  }
  return url.href.replace(/\/+$/, "");
}
