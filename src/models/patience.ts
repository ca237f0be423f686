import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

/** The longest a Worker may wait on one read anyway. */
const MOST_MS = 600_000;

/** Milliseconds a provider may stay silent: between pieces of an answer, and before one that comes whole. */
export interface Patience {
  silentMs: number;
  /** Undefined: an answer that comes whole is silent while it is written, so it may take all the time that a call has. */
  wholeMs?: number;
}

const PATIENCE: Patience = { silentMs: 60_000 };

/** @throws WaypostError `not_configured` */
export function readTimeout(env: Env): Patience {
  if (!env.PROVIDER_TIMEOUT_MS) return PATIENCE;
  const ms = Number(env.PROVIDER_TIMEOUT_MS);
  if (Number.isInteger(ms) && ms > 0 && ms <= MOST_MS) return { silentMs: ms, wholeMs: ms };
  throw new WaypostError("not_configured", `PROVIDER_TIMEOUT_MS must be a whole number from 1 to ${MOST_MS}`);
}
