import { env } from "cloudflare:workers";
import type { Env } from "../../env.ts";
import { isLocalName, resolvesPrivately } from "../../net/private_hosts.ts";
import { exemptHosts } from "./exempt_hosts.ts";

/*
 * The OAuth library fetches client metadata documents and the keys they name with the global `fetch`: from any host, and
 * following redirects. It takes no fetch of its own, so the global one is put behind this check. Only the library's own
 * requests pass it, known by the name it gives itself.
 */

const LIBRARY = /^workers-oauth-provider\//;

const unchecked = globalThis.fetch;
globalThis.fetch = (input: RequestInfo | URL, init?: RequestInit) =>
  LIBRARY.test(new Headers(init?.headers).get("user-agent") ?? "") ? checkedFetch(input, init) : unchecked(input, init);

/** Refuses private targets, and takes no redirect: the document has to be where the client says it is. */
async function checkedFetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  const url = new URL(input instanceof Request ? input.url : input);
  if (!exempt(url)) {
    if (isLocalName(url.hostname)) throw new Error("the client's host is a private address");
    if (await resolvesPrivately(url.hostname)) throw new Error("the client's host has a private address");
  }
  return unchecked(url, { ...init, redirect: "manual" });
}

const exempt = (url: URL): boolean =>
  exemptHosts(env as unknown as Env).some((host) => host === url.host || host === url.hostname);
