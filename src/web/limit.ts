import { addressOf } from "../auth/oauth/limits.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** Beginnings of a sign-in, whichever way, allowed to one address. */
const BEGINNINGS_PER_MINUTE = 120;

/**
 * Counts the beginning of a sign-in against the address it comes from: whoever opens the page can begin, and each is stored
 * for a while.
 * @throws WaypostError `rate_limited`
 */
export async function admitBeginning(request: Request, env: Env): Promise<void> {
  const store = env.AUTH.get(env.AUTH.idFromName(`limit:${addressOf(request.headers)}`));
  const waitMs = await store.admit("sign-in", BEGINNINGS_PER_MINUTE, 60_000);
  if (waitMs === 0) return;
  throw new WaypostError("rate_limited", "Too many sign-ins were begun from this network.", {
    retry_after: Math.ceil(waitMs / 1_000),
  });
}
