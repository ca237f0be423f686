import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below what systems hand out by themselves, to listeners on port 0 and to outgoing connections (Linux: from 32,768): a
 * server that ends finds its port free when it starts again, whatever else runs meanwhile.
 */
const FIRST = 12_000;
const LAST = 32_000;

/** A port of 127.0.0.1 that nobody listens on and nobody is given by chance. */
export async function lastingPort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
