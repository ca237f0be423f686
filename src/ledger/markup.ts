import type { HoldRequest } from "./types.ts";

/** The hold with the one markup that an account on this plan pays. */
export function forPlan({ planMarkups, ...hold }: HoldRequest, plan: string): HoldRequest {
  return { ...hold, markupBps: planMarkups?.[plan] ?? hold.markupBps };
}
