/**
 * The calls of this isolate, for an end that was asked for: `npm start` has one isolate, and on a signal nothing that was
 * counted or begun is to be lost. Elsewhere nobody asks.
 */

/** What `scheduled` is called with to end. No cron of a deployment has this name, and no request reaches `scheduled`. */
export const STOP = "waypost:stop";

/** An account asked longer ago than this has everything on disk: what waits longest waits a second. */
const RECENT_MS = 5_000;
/** What was noted so lately need not be noted anew: most calls are of an account that calls a lot. */
const NOTED_MS = 1_000;
/** A call older than this was cut off with the request it ran in. */
const CUT_OFF_MS = 150_000;

const running = new Set<{ at: number }>();
/** When accounts were last asked, in ms since the epoch, the last one last. */
const asked = new Map<string, number>();
let ending = false;

/** A call begins. Returns what to call when it has ended. */
export function began(account: string): () => void {
  const at = Date.now();
  for (const call of running) {
    if (at - call.at < CUT_OFF_MS) break;
    running.delete(call);
  }
  const call = { at };
  running.add(call);
  note(account, at);
  return () => {
    running.delete(call);
    note(account, Date.now());
  };
}

function note(account: string, at: number): void {
  if (at - (asked.get(account) ?? 0) < NOTED_MS) return;
  asked.delete(account);
  asked.set(account, at);
  for (const [other, last] of asked) {
    if (at - last < RECENT_MS) break;
    asked.delete(other);
  }
}

export const callsRunning = (): number => running.size;
export const accountsAskedLately = (): string[] => [...asked.keys()];

/** Whether requests are refused, because the server is about to end. */
export const isEnding = (): boolean => ending;
export function refuseRequests(): void {
  ending = true;
}
