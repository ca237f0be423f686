import { webhookOf } from "../auth/clerk/signature.ts";
import { issuersOf } from "../auth/jwt/issuers.ts";
import { limitsOf } from "../auth/oauth/limits.ts";
import { checkSignUps } from "../auth/sign_up.ts";
import { providers } from "../auth/upstream/providers.ts";
import { urlsOf } from "../auth/urls.ts";
import { stripeOf } from "../billing/stripe.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { parsePlans } from "../ledger/plans.ts";
import { checkRouting } from "../models/route_check.ts";
import { safetyOf } from "../models/safety.ts";
import { runSettings } from "../runs/settings.ts";
import { confirmRules } from "../tools/confirm_rules.ts";
import { drainMs } from "../tools/stream_times.ts";

/** Whoever uses settings reads them here too, the way they are read for a call. */
const READERS: readonly ((env: Env) => unknown)[] = [
  urlsOf,
  checkSignUps,
  providers,
  issuersOf,
  ({ CLERK_WEBHOOK_SECRET: secret }) => secret && webhookOf(secret),
  ({ OAUTH_LIMITS }) => limitsOf(OAUTH_LIMITS),
  ({ PLANS }) => parsePlans(PLANS),
  async (env) => env.STRIPE_SECRET_KEY && (await stripeOf(env)),
  checkRouting,
  safetyOf,
  runSettings,
  drainMs,
  (env) => confirmRules(env, ""),
];

/** What is wrong with the settings, each fault once, naming the setting. Empty: all can be read. */
export async function wrongSettings(env: Env): Promise<string[]> {
  const faults = await Promise.all(READERS.map((read) => faultOf(() => read(env))));
  return [...new Set(faults.filter((fault) => fault !== null))];
}

async function faultOf(read: () => unknown): Promise<string | null> {
  try {
    await read();
    return null;
  } catch (error) {
    if (error instanceof WaypostError) return error.detail;
    throw error;
  }
}
