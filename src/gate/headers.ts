import type { WaypostError } from "../errors.ts";
import type { WindowState } from "../ledger/types.ts";
import { challengeOf } from "./challenge.ts";
import type { CallOutcome } from "./gate.ts";
import { newId } from "./ids.ts";

const WINDOW_SECONDS = { minute: 60, hour: 3_600, day: 86_400 } as const;

/** How our keys, sessions and tokens and other issuers' begin or are built: sent as a request id, one would end up in logs. */
const CREDENTIAL = /^(wp|usr)_|^eyJ|:.*:/;

/** A caller's own request id when it is harmless to repeat, else a new one. */
export function requestIdOf(headers: Headers): string {
  const given = headers.get("x-request-id");
  return given && /^[\w.:-]{1,128}$/.test(given) && !CREDENTIAL.test(given) ? given : newId("req");
}

/** Headers of an outcome, the same on every door. Each costs a little on every call, so none says what another says. */
export function outcomeHeaders(outcome: CallOutcome, requestId: string): Record<string, string> {
  const headers: Record<string, string> = { "X-Request-Id": requestId };
  if (outcome.windows) setRateHeaders(headers, outcome.windows);
  const replayed = outcome.ok && outcome.replayed;
  if (outcome.costNano > 0) headers["X-Waypost-Cost-Nano-Usd"] = String(replayed ? 0 : outcome.costNano);
  if (!outcome.ok) {
    if (outcome.windows) headers["RateLimit-Policy"] = outcome.windows.map(policyOf).join(", ");
    return Object.assign(headers, errorHeaders(outcome.error));
  }
  if (replayed) headers["Idempotency-Replayed"] = "true";
  return headers;
}

/** `Retry-After` (RFC 9110 10.2.3) and `WWW-Authenticate` (RFC 6750 3) where the error has them. */
export function errorHeaders(error: WaypostError): Record<string, string> {
  const { retry_after: retryAfter } = error.extras;
  const challenge = challengeOf(error);
  return {
    ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
    ...(challenge ? { "WWW-Authenticate": challenge } : {}),
  };
}

/** The RateLimit field of the IETF draft and the older X- fields, for the window that is nearest to its limit. */
export function setRateHeaders(headers: Record<string, string>, windows: readonly WindowState[]): void {
  let tightest = windows[0];
  if (!tightest) return;
  for (const window of windows) if (window.remaining < tightest.remaining) tightest = window;
  const remaining = String(tightest.remaining);
  const reset = String(seconds(tightest));
  headers.RateLimit = `"${tightest.name}";r=${remaining};t=${reset}`;
  headers["X-RateLimit-Limit"] = String(tightest.limit);
  headers["X-RateLimit-Remaining"] = remaining;
  headers["X-RateLimit-Reset"] = reset;
}

const policyOf = ({ name, limit }: WindowState): string => `"${name}";q=${limit};w=${WINDOW_SECONDS[name]}`;

/** Seconds until more is possible: until the next free call when none is left, else until the window is empty. */
const seconds = (window: WindowState): number =>
  Math.ceil((window.remaining === 0 ? window.retryAfterMs : window.resetMs) / 1_000);
