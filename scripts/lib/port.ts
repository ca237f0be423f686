import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { PortInUse, portFailure } from "./failure.ts";

/** Ports that are tried when any will do: others may take one between the look and its use. */
const TRIES = 5;

/**
 * Uses the wanted port, once it is free or gets free within `patience` milliseconds; 0: any free one, another if that is
 * taken before it is used.
 * @throws StartFailure when the wanted port cannot be had
 */
export async function onPort<T>(wanted: number, patience: number, use: (port: number) => Promise<T>): Promise<T> {
  if (wanted !== 0) {
    await claim(wanted, patience);
    return await use(wanted);
  }
  for (let tries = 1; ; tries++) {
    try {
      return await use(await freePort());
    } catch (error) {
      if (!(error instanceof PortInUse) || tries === TRIES) throw error;
    }
  }
}

async function claim(port: number, patience: number): Promise<void> {
  for (let waited = 0; ; waited += 50) {
    const refused = await whyNotFree(port);
    if (!refused) return;
    if (refused.code !== "EADDRINUSE" || waited >= patience) throw portFailure(port, refused);
    await sleep(50);
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function whyNotFree(port: number): Promise<NodeJS.ErrnoException | null> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(null)));
  });
}
