import type { TestProject } from "vitest/node";
import { type StandInUrls, startApart } from "./apart.ts";

/** Starts the stand-ins for a whole test run; tests find them with `inject("upstreamUrl")` and the like. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { urls, close } = await startApart();
  for (const [name, url] of Object.entries(urls)) project.provide(name as keyof StandInUrls, url);
  return close;
}

declare module "vitest" {
  interface ProvidedContext extends StandInUrls {}
}
