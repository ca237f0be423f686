import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { type Moderation, moderationOf } from "./moderation/settings.ts";

/** What the settings say about what guards a call. */
export interface Safety {
  moderation: Moderation;
  /** What a cached answer costs, in basis points of what it cost to make. */
  cacheHitBps: number;
}

/** @throws WaypostError `not_configured`, naming the setting that is wrong */
export const safetyOf = (env: Env): Safety => ({ moderation: moderationOf(env), cacheHitBps: hitBps(env.CACHE_HIT) });

function hitBps(text: string | undefined): number {
  const bps = Number(text || 0);
  if (Number.isInteger(bps) && bps >= 0 && bps <= 10_000) return bps;
  throw new WaypostError("not_configured", "CACHE_HIT must be a whole number of basis points from 0 to 10000");
}
