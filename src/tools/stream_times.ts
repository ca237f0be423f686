import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

const MOST_MS = 600_000;

/** Silence on a streamed answer, in ms, after which a comment is sent: only by writing a Worker learns that its client has gone. */
export const keepAliveMs = (env: Env): number => milliseconds("KEEP_ALIVE_MS", env.KEEP_ALIVE_MS, 5_000, 100);

/** How long the rest of an answer is read for a client that left, in ms. A Worker may go on for 30 s after its client has gone. */
export const drainMs = (env: Env): number => milliseconds("DRAIN_MS", env.DRAIN_MS, 20_000);

/** @throws WaypostError `not_configured` */
export function milliseconds(name: string, given: string | undefined, otherwise: number, least = 0): number {
  if (!given) return otherwise;
  const ms = Number(given);
  if (Number.isInteger(ms) && ms >= least && ms <= MOST_MS) return ms;
  throw new WaypostError("not_configured", `${name} must be a whole number from ${least} to ${MOST_MS}.`);
}
