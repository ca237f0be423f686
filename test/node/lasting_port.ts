import { randomInt } from "node:crypto";
import { StartFailure } from "../../scripts/lib/failure.ts";
import { onPort } from "../../scripts/lib/port.ts";

/**
 * Below what systems hand out by themselves, to listeners on port 0 and to outgoing connections (Linux: from 32,768): a
 * server that ends finds its port free when it starts again, whatever else runs meanwhile.
 */
const FIRST = 12_000;
const LAST = 32_000;
const TRIES = 50;

/** A port of 127.0.0.1 that nobody listens on and nobody is given by chance. */
export async function lastingPort(): Promise<number> {
  for (let tries = 1; ; tries++) {
    try {
      return await onPort(randomInt(FIRST, LAST), 0, async (port) => port);
    } catch (error) {
      if (!(error instanceof StartFailure) || tries === TRIES) throw error;
    }
  }
}
