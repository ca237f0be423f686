import { formatUsd } from "./money.ts";
import type { StoredKey } from "./stored_key.ts";
import type { KeyAuthor } from "./types.ts";

/** What bounds a key besides its scopes. */
export type Bounds = Pick<StoredKey, "limits" | "budget" | "expiresAt">;

/** A caller as an author, without what else is known of them. */
export const authorOf = ({ keyId, user, scopes }: KeyAuthor): KeyAuthor => ({ keyId, user, scopes: [...scopes] });

/** Whether a key has bounds of its own besides its scopes. */
export const hasBounds = ({ limits, budget, expiresAt }: Bounds): boolean =>
  limits !== null || budget !== null || expiresAt !== null;

const WINDOWS = ["minute", "hour", "day"] as const;

/** In words, what is wanted beyond an author's own bounds; undefined when nothing is. What is left out is not wanted. */
export function whatExceeds(own: Bounds, wanted: Bounds): string | undefined {
  for (const window of WINDOWS) {
    const [most, asked] = [own.limits?.[window], wanted.limits?.[window]];
    if (most !== undefined && asked !== undefined && asked > most) return `Your own key has ${most} calls a ${window}.`;
  }
  if (own.budget && wanted.budget && wanted.budget.nano_usd > own.budget.nano_usd) {
    return `Your own key has a budget of $${formatUsd(own.budget.nano_usd)}.`;
  }
  if (own.expiresAt !== null && wanted.expiresAt !== null && wanted.expiresAt > own.expiresAt) {
    return `Your own key expires at ${new Date(own.expiresAt).toISOString()}.`;
  }
  return undefined;
}

/** What was wanted, and the author's own bound wherever nothing was. */
export function leastOf(own: Bounds, wanted: Bounds): Bounds {
  const limits = { ...own.limits, ...wanted.limits };
  return {
    limits: Object.keys(limits).length > 0 ? limits : null,
    budget: wanted.budget ?? own.budget,
    expiresAt: wanted.expiresAt ?? own.expiresAt,
  };
}
