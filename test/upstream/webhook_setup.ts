import type { TestProject } from "vitest/node";
import { startReceiver } from "./webhook_receiver.ts";

/** Starts the stand-in receiver of webhooks for a whole test run; tests find it with `inject("webhookUrl")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const receiver = await startReceiver();
  project.provide("webhookUrl", receiver.url);
  return () => receiver.close();
}

declare module "vitest" {
  interface ProvidedContext {
    webhookUrl: string;
  }
}
