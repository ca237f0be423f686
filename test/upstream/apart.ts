import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { startGithub } from "./identity_github.ts";
import { startOidc } from "./identity_oidc.ts";
import { startJwks } from "./jwks_server.ts";
import { startUpstream } from "./server.ts";
import { startStripe } from "./stripe_server.ts";
import { startReceiver } from "./webhook_receiver.ts";

const STAND_INS = {
  upstreamUrl: () => startUpstream(),
  oidcUrl: () => startOidc(),
  githubUrl: () => startGithub(),
  stripeUrl: () => startStripe(),
  jwksUrl: () => startJwks(),
  webhookUrl: () => startReceiver(),
};

export type StandInUrls = Record<keyof typeof STAND_INS, string>;

/**
 * Starts every stand-in in a thread of its own. The runner's thread is busy for seconds while it transforms modules, and
 * a stand-in there would seem to be silent meanwhile.
 */
export async function startApart(): Promise<{ urls: StandInUrls; close(): Promise<void> }> {
  const thread = new Worker(fileURLToPath(import.meta.url), { workerData: "stand-ins" });
  const [urls] = (await once(thread, "message")) as [StandInUrls];
  return { urls, close: async () => void (await thread.terminate()) };
}

if (!isMainThread && workerData === "stand-ins") {
  const started = Object.entries(STAND_INS).map(async ([name, start]) => [name, (await start()).url] as const);
  parentPort?.postMessage(Object.fromEntries(await Promise.all(started)));
}
