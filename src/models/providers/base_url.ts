import { WaypostError } from "../../errors.ts";

export interface BaseUrl {
  /** Without a slash at its end. */
  baseUrl: string;
  /** It is on this machine or a private network. */
  privateHost: boolean;
}

/** @throws WaypostError `not_configured`, naming the setting */
export function parseBaseUrl(text: string, setting: string): BaseUrl {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash || url.username) {
    throw new WaypostError("not_configured", `${setting} must hold a plain http or https URL, without query or user`);
  }
  return { baseUrl: url.href.replace(/\/+$/, ""), privateHost: isPrivateHost(url.hostname) };
}

/** Loopback, private ranges (RFC 1918, 3927, 4193), and names that only resolve inside a network. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/^\[|\]$/g, "");
  if (host.includes(":")) return host === "::1" || /^(f[cd]|fe[89ab])/.test(host);
  if (/^\d+\.\d+\.\d+\.\d+$/.test(host)) {
    return /^(127|10|0)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\./.test(host);
  }
  return !host.includes(".") || /\.(localhost|local|internal|lan|home\.arpa)$/.test(host);
}
