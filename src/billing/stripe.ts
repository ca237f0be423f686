import type Stripe from "stripe";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { lazily } from "../lazily.ts";

/** Stripe as it is set up here. Its library is large: it is loaded when money is asked for, not when the Worker starts. */

/** One US cent in nano-USD. */
export const CENT_NANO = 10_000_000;
/** Metadata of everything bought here: whose credit it becomes, and for an automatic top-up which one it is. */
export const ACCOUNT_KEY = "waypost_account";
export const ORDER_KEY = "waypost_top_up";

/** A payment page or a charge must answer within this; a repetition has the same idempotency key. */
const TIMEOUT_MS = 10_000;
const RETRIES = 1;

export const stripeLibrary = lazily(() => import("stripe"));

const clients = new WeakMap<Env, { madeFor: string; client: Stripe }>();

/** @throws WaypostError `not_configured` without STRIPE_SECRET_KEY, or when STRIPE_API_URL is no URL */
export async function stripeOf(env: Env): Promise<Stripe> {
  const key = env.STRIPE_SECRET_KEY;
  if (!key) {
    throw new WaypostError(
      "not_configured",
      "STRIPE_SECRET_KEY is not set. Until it is, an operator adds credit with POST /v1/admin/accounts/{account}/credit.",
    );
  }
  const madeFor = `${key} ${env.STRIPE_API_URL ?? ""}`;
  const known = clients.get(env);
  if (known?.madeFor === madeFor) return known.client;
  const { default: StripeClient } = await stripeLibrary();
  const client = new StripeClient(key, {
    ...addressOf(env.STRIPE_API_URL),
    httpClient: StripeClient.createFetchHttpClient(),
    timeout: TIMEOUT_MS,
    maxNetworkRetries: RETRIES,
    telemetry: false,
  });
  clients.set(env, { madeFor, client });
  return client;
}

/** Whether the key moves real money. */
export const isLive = (env: Env): boolean => /^[a-z]+_live_/.test(env.STRIPE_SECRET_KEY ?? "");

/**
 * Asks Stripe for something, its failures told in our words.
 * @throws WaypostError `not_configured` when Stripe does not accept key or request, `payment_unavailable` when it does not answer
 */
export async function asked<T>(question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    const kind = kindOf(error);
    if (kind === "StripeAuthenticationError" || kind === "StripePermissionError") {
      throw new WaypostError("not_configured", "Stripe does not accept STRIPE_SECRET_KEY for this.");
    }
    if (kind === "StripeInvalidRequestError" || kind === "StripeIdempotencyError") {
      throw new WaypostError("not_configured", "Stripe did not accept the request: see the log of its dashboard.");
    }
    if (kind === null) throw error;
    throw new WaypostError("payment_unavailable", "Stripe did not answer as it should.", { retry_after: 5 });
  }
}

/** The class of a failure of Stripe's library by its name; null for another failure. */
export function kindOf(error: unknown): string | null {
  const type = error instanceof Error ? (error as { type?: unknown }).type : undefined;
  return typeof type === "string" && type.startsWith("Stripe") ? type : null;
}

function addressOf(url: string | undefined): { host?: string; port?: string; protocol?: "http" | "https" } {
  if (!url) return {};
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new WaypostError("not_configured", "STRIPE_API_URL must be the URL of a Stripe API.");
  }
  const protocol = parsed.protocol === "http:" ? "http" : "https";
  return { host: parsed.hostname, port: parsed.port || (protocol === "http" ? "80" : "443"), protocol };
}
