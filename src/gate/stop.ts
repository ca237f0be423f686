import type { Env } from "../env.ts";
import { writeLog } from "./log.ts";
import { flushLedger } from "./stores.ts";
import { accountsAskedLately, callsRunning, refuseRequests } from "./under_way.ts";

/** How long calls that run are waited for. Whoever ends a process usually waits 10 s before it is killed. */
const PATIENCE_MS = 5_000;
const LOOK_MS = 20;

/**
 * Readies this isolate for its end: new requests are refused, calls that run are waited for, up to 5 s, and the ledgers
 * they asked write what they have decided.
 */
export async function stop(env: Env): Promise<void> {
  refuseRequests();
  for (let waited = 0; callsRunning() > 0 && waited < PATIENCE_MS; waited += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await Promise.allSettled(accountsAskedLately().map((account) => flushLedger(env, account)));
  writeLog();
}
