import type { Env } from "../env.ts";
import { keepAliveMs, milliseconds } from "../tools/stream_times.ts";

export interface RunSettings {
  /** How long a streamed answer that nobody reads goes on before its reader counts as gone. */
  graceMs: number;
  /** How long an MCP client waits for an answer before it is given a handle. */
  longMs: number;
  /** Silence on a stream after which a comment is sent. */
  keepAliveMs: number;
}

/** @throws WaypostError `not_configured` */
export const runSettings = (env: Env): RunSettings => ({
  graceMs: milliseconds("RESUME_GRACE_MS", env.RESUME_GRACE_MS, 5_000),
  longMs: milliseconds("LONG_CALL_MS", env.LONG_CALL_MS, 50_000),
  keepAliveMs: keepAliveMs(env),
});
