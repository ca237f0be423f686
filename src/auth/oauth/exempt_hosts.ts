import type { Env } from "../../env.ts";
import { WaypostError } from "../../errors.ts";

/** Hosts of client metadata documents that may be private addresses, in lower case: `name`, `name:port`, `[address]`. */
export const exemptHosts = ({ PRIVATE_CLIENT_HOSTS = "" }: Pick<Env, "PRIVATE_CLIENT_HOSTS">): string[] =>
  PRIVATE_CLIENT_HOSTS.split(",")
    .map((host) => host.trim().toLowerCase())
    .filter((host) => host !== "");

/** @throws WaypostError `not_configured` for an entry that no document's address can have as its host */
export function checkExemptHosts(env: Env): void {
  const wrong = exemptHosts(env).find((host) => URL.parse(`https://${host}`)?.host !== host);
  if (wrong === undefined) return;
  throw new WaypostError(
    "not_configured",
    `PRIVATE_CLIENT_HOSTS must hold hosts such as app.internal or app.internal:8443, not "${wrong}".`,
  );
}
