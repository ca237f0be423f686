import type { TestProject } from "vitest/node";
import { startUpstream } from "./server.ts";

/** Starts the stand-in provider for a whole test run; tests find it with `inject("upstreamUrl")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const upstream = await startUpstream();
  project.provide("upstreamUrl", upstream.url);
  return upstream.close;
}

declare module "vitest" {
  interface ProvidedContext {
    upstreamUrl: string;
  }
}
