import type { Env } from "../env.ts";
import { purgeDeliveries } from "./clerk/sync.ts";
import { Invitations } from "./invitations.ts";

/**
 * Removes what expired from the directory: links and webhook deliveries. Grants, tokens, sessions, registrations and
 * transactions live in AuthStore objects, which purge themselves. Returns how many rows went.
 */
export async function purgeExpired(env: Env, now = new Date()): Promise<number> {
  return (await new Invitations(env).purge(now)) + (await purgeDeliveries(env, now.getTime()));
}
