import type { TestProject } from "vitest/node";
import { startGithub } from "./identity_github.ts";
import { startOidc } from "./identity_oidc.ts";
import { startUpstream } from "./server.ts";
import { startStripe } from "./stripe_server.ts";

/** Starts the stand-in provider for a whole test run; tests find it with `inject("upstreamUrl")`. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const upstream = await startUpstream();
  project.provide("upstreamUrl", upstream.url);
  const [oidc, github] = [await startOidc(), await startGithub()];
  project.provide("oidcUrl", oidc.url);
  project.provide("githubUrl", github.url);
  const stripe = await startStripe();
  project.provide("stripeUrl", stripe.url);
  return async () => void (await Promise.all([upstream.close(), oidc.close(), github.close(), stripe.close()]));
}

declare module "vitest" {
  interface ProvidedContext {
    upstreamUrl: string;
    /** Stand-ins for sign-in providers. */
    oidcUrl: string;
    githubUrl: string;
    /** Stand-in for Stripe's API. */
    stripeUrl: string;
  }
}
