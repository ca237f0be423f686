import type { TestProject } from "vitest/node";
import { startJwks } from "./jwks_server.ts";

/** Starts the stand-in issuers for a whole test run; tests find them with `inject("jwksUrl")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const jwks = await startJwks();
  project.provide("jwksUrl", jwks.url);
  return jwks.close;
}

declare module "vitest" {
  interface ProvidedContext {
    jwksUrl: string;
  }
}
