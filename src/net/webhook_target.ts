import { lazily } from "../lazily.ts";

const hosts = lazily(() => import("./private_hosts.ts"));
const LOOPBACK = /^(localhost|127\.0\.0\.1|\[::1\])$/;

/** Where webhooks may lead to a server on the same machine. */
export const allowsLoopback = (environment: string): boolean => environment === "development" || environment === "test";

/**
 * Why a URL cannot be a webhook's, in words; null when it can. It is https and public, or a server on this machine where
 * `loopback` allows that.
 */
export async function whyNoTarget(text: string, loopback: boolean): Promise<string | null> {
  if (!URL.canParse(text)) return "It is not a URL.";
  const url = new URL(text);
  if (url.username !== "" || url.password !== "" || url.hash !== "") return "It takes no credentials and no fragment.";
  const isHttp = url.protocol === "http:" || url.protocol === "https:";
  if (loopback && isHttp && LOOPBACK.test(url.hostname)) return null;
  if (url.protocol !== "https:") return "It has to be https.";
  const { isLocalName, resolvesPrivately } = await hosts();
  if (isLocalName(url.hostname) || (await resolvesPrivately(url.hostname))) return "Its host has to be a public one.";
  return null;
}
