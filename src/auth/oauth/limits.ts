import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";

/** Requests one address may make. */
export interface OAuthLimits {
  register_per_hour: number;
  token_per_minute: number;
}

const DEFAULTS: OAuthLimits = { register_per_hour: 60, token_per_minute: 600 };
const WINDOW_MS = { register: 3_600_000, token: 60_000 } as const;

/**
 * Counts a request against its address's limit. A refused one counts for nothing.
 * @returns seconds until there is room; 0 = go on
 * @throws WaypostError `not_configured` when OAUTH_LIMITS is not understood
 */
export async function waitOf(env: Env, headers: Headers, kind: "register" | "token"): Promise<number> {
  const limits = limitsOf(env.OAUTH_LIMITS);
  const limit = kind === "register" ? limits.register_per_hour : limits.token_per_minute;
  const store = env.AUTH.get(env.AUTH.idFromName(`limit:${addressOf(headers)}`));
  return Math.ceil((await store.admit(kind, limit, WINDOW_MS[kind])) / 1_000);
}

/** Who sends, as far as can be known: an IPv6 network counts as one, because its holder has 2^64 addresses. */
export function addressOf(headers: Headers): string {
  const address = headers.get("cf-connecting-ip");
  if (!address) return "local";
  if (!address.includes(":") || !URL.canParse(`http://[${address}]`)) return address.slice(0, 45);
  const [head = "", tail = ""] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === "" ? [] : tail.split(":");
  const groups = [...left, ...Array(Math.max(0, 8 - left.length - right.length)).fill("0"), ...right];
  return `${groups.slice(0, 4).join(":")}::/64`;
}

/** @throws WaypostError `not_configured` */
export function limitsOf(setting: string | undefined): OAuthLimits {
  if (!setting) return DEFAULTS;
  let given: unknown;
  try {
    given = JSON.parse(setting);
  } catch {
    given = null;
  }
  const limits = { ...DEFAULTS, ...(typeof given === "object" ? given : {}) };
  const known = Object.keys(limits).every((name) => name in DEFAULTS);
  const sound = [limits.register_per_hour, limits.token_per_minute].every((n) => Number.isSafeInteger(n) && n > 0);
  if (given === null || typeof given !== "object" || !known || !sound) {
    throw new WaypostError(
      "not_configured",
      "OAUTH_LIMITS must be JSON such as {register_per_hour, token_per_minute}, whole numbers above 0.",
    );
  }
  return limits;
}
