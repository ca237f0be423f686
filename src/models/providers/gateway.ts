import type { Env } from "../../env.ts";
import { expectHeaderValue } from "../../net/header_value.ts";
import { parseBaseUrl } from "./base_url.ts";

/** Cloudflare AI Gateway, which stands between here and the hosted providers: it logs, caches and limits what it passes. */
export interface Gateway {
  /** Without a slash at its end. */
  url: string;
  /** Its name, the last part of the URL: what the Workers AI binding knows it by. */
  id: string;
  token: string | undefined;
}

/** Undefined when none is configured. @throws WaypostError `not_configured` */
export function readGateway(env: Env): Gateway | undefined {
  if (!env.AI_GATEWAY_URL) return undefined;
  expectHeaderValue(env.AI_GATEWAY_TOKEN, "AI_GATEWAY_TOKEN");
  const { baseUrl } = parseBaseUrl(env.AI_GATEWAY_URL, "AI_GATEWAY_URL");
  return { url: baseUrl, id: baseUrl.slice(baseUrl.lastIndexOf("/") + 1), token: env.AI_GATEWAY_TOKEN || undefined };
}

/** The gateway's own credential goes to the gateway and to nobody else. */
export function gatewayHeaders(gateway: Gateway | undefined, baseUrl: string): Record<string, string> {
  const through = gateway?.token && `${baseUrl}/`.startsWith(`${gateway.url}/`);
  return through ? { "cf-aig-authorization": `Bearer ${gateway.token}` } : {};
}
