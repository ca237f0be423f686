import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";

const MOST_MS = 600_000;

export interface RunSettings {
  /** How long a streamed answer that nobody reads goes on before its reader counts as gone. */
  graceMs: number;
  /** How long an MCP client waits for an answer before it is given a handle. */
  longMs: number;
}

/** @throws WaypostError `not_configured` */
export const runSettings = (env: Env): RunSettings => ({
  graceMs: milliseconds("RESUME_GRACE_MS", env.RESUME_GRACE_MS, 5_000),
  longMs: milliseconds("LONG_CALL_MS", env.LONG_CALL_MS, 50_000),
});

function milliseconds(name: string, given: string | undefined, otherwise: number): number {
  if (!given) return otherwise;
  const ms = Number(given);
  if (Number.isInteger(ms) && ms >= 0 && ms <= MOST_MS) return ms;
  throw new WaypostError("not_configured", `${name} must be a whole number from 0 to ${MOST_MS}.`);
}
