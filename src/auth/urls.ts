import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { Surface } from "./bearer.ts";

/**
 * The public URLs of this installation. They come from configuration alone, so that no header can move where tokens go.
 * `PUBLIC_URL` is the issuer; `ALIAS_URLS` are further origins that reach the same server, whose resources count as ours.
 */
export interface Urls {
  /** RFC 8414 issuer and base of every page: an origin, without a slash at the end. */
  issuer: string;
  /** `issuer` first, then the aliases. */
  origins: readonly string[];
}

const parsed = new Map<string, Urls>();

/** @throws WaypostError `not_configured` when PUBLIC_URL is missing or no origin */
export function urlsOf(env: Pick<Env, "PUBLIC_URL" | "ALIAS_URLS">): Urls {
  const key = `${env.PUBLIC_URL ?? ""} ${env.ALIAS_URLS ?? ""}`;
  let urls = parsed.get(key);
  if (!urls) {
    const issuer = originOf(env.PUBLIC_URL, "PUBLIC_URL");
    const aliases = (env.ALIAS_URLS ?? "").split(",").filter((url) => url.trim() !== "");
    urls = { issuer, origins: [...new Set([issuer, ...aliases.map((url) => originOf(url, "ALIAS_URLS"))])] };
    parsed.set(key, urls);
  }
  return urls;
}

/** RFC 8707 identifiers of a surface, the issuer's own first. */
export const resourcesOf = (urls: Urls, surface: Surface): string[] =>
  urls.origins.map((origin) => `${origin}/${surface}`);

function originOf(value: string | undefined, name: string): string {
  let url: URL;
  try {
    url = new URL((value ?? "").trim());
  } catch {
    throw new WaypostError(
      "not_configured",
      `${name} must be set to the server's public URL, such as https://waypost.example.`,
    );
  }
  const loopback = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && loopback)) {
    throw new WaypostError("not_configured", `${name} must be an https URL; http is for this machine alone.`);
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "") {
    throw new WaypostError("not_configured", `${name} must be an origin, without a path.`);
  }
  return url.origin;
}
