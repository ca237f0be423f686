import { addressOf } from "../auth/oauth/limits.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

const CHALLENGES_PER_MINUTE = 120;

/**
 * Counts a challenge against the address that asks for it: whoever opens the sign-in page can ask, and each is stored for a while.
 * @throws WaypostError `rate_limited`
 */
export async function admitChallenge(request: Request, env: Env): Promise<void> {
  const store = env.AUTH.get(env.AUTH.idFromName(`limit:${addressOf(request.headers)}`));
  const waitMs = await store.admit("passkey", CHALLENGES_PER_MINUTE, 60_000);
  if (waitMs === 0) return;
  throw new WaypostError("rate_limited", "Too many passkey requests came from this network.", {
    retry_after: Math.ceil(waitMs / 1_000),
  });
}
