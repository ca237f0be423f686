import { webhookOf } from "../auth/clerk/signature.ts";
import { issuersOf } from "../auth/jwt/issuers.ts";
import { checkExemptHosts } from "../auth/oauth/exempt_hosts.ts";
import { limitsOf } from "../auth/oauth/limits.ts";
import { checkSignUps } from "../auth/sign_up.ts";
import { providers } from "../auth/upstream/providers.ts";
import { urlsOf } from "../auth/urls.ts";
import { stripeOf } from "../billing/stripe.ts";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { checkAllowedOrigins } from "../gate/cors.ts";
import { parsePlans } from "../ledger/plans.ts";
import { Markups } from "../models/markups.ts";
import { checkRouting } from "../models/route_check.ts";
import { safetyOf } from "../models/safety.ts";
import { expectHeaderValue } from "../net/header_value.ts";
import { runSettings } from "../runs/settings.ts";
import { confirmRules } from "../tools/confirm_rules.ts";
import { places } from "../tools/places.ts";
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
  ({ STRIPE_SECRET_KEY }) => expectHeaderValue(STRIPE_SECRET_KEY, "STRIPE_SECRET_KEY"),
  checkAllowedOrigins,
  checkExemptHosts,
  checkRouting,
  checkMarkedUpPlans,
  checkLimitedTools,
  safetyOf,
  runSettings,
  drainMs,
  (env) => confirmRules(env, ""),
];

/** A plan that is marked up and does not exist is a slip of the pen: the plan that was meant pays the common markup. */
function checkMarkedUpPlans(env: Env): void {
  const plans = parsePlans(env.PLANS);
  const unknown = new Markups(env).plans.find((plan) => !plans.has(plan));
  if (unknown !== undefined) throw new WaypostError("not_configured", `MARKUPS: plans: there is no plan "${unknown}".`);
}

/** As above: the tool that was meant would have no limit of its own. */
function checkLimitedTools({ PLANS }: Env): void {
  const names = new Set(places.map(({ name }) => name));
  for (const { id, tools = {} } of parsePlans(PLANS).values()) {
    const unknown = Object.keys(tools).find((tool) => !names.has(tool));
    if (unknown !== undefined) {
      throw new WaypostError("not_configured", `PLANS: ${id}: tools: there is no tool "${unknown}".`);
    }
  }
}

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
