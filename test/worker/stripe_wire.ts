import { env } from "cloudflare:test";
import { inject } from "vitest";
import type { StripeRequest } from "../upstream/stripe_server.ts";
import { account, type Reply, rest } from "./client.ts";

/** Stripe as the Worker under test meets it: its API, people who pay, and deliveries signed as it signs them. */

export const WEBHOOK_SECRET = "whsec_signing_secret_of_the_stripe_tests";
/** One US cent in nano-USD. */
export const CENT = 10_000_000;
export const STRIPE_KEY = "sk_test_key_of_the_stripe_tests";

export function configureStripe(over: Record<string, string | undefined> = {}): void {
  Object.assign(env, {
    STRIPE_SECRET_KEY: STRIPE_KEY,
    STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
    STRIPE_API_URL: inject("stripeUrl"),
    ...over,
  });
}

let events = 0;

/** An event with what a test wants different. */
export const eventOf = (type: string, object: unknown, over: Record<string, unknown> = {}) => ({
  id: `evt_${crypto.randomUUID().slice(0, 8)}${++events}`,
  object: "event",
  api_version: "2026-01-01",
  created: Math.floor(Date.now() / 1_000),
  livemode: false,
  type,
  data: { object },
  ...over,
});

interface Delivery {
  /** Seconds since the epoch. */
  timestamp?: number;
  secret?: string;
  /** Sent instead of the right one; null: none. */
  signature?: string | null;
  /** Sent instead of what was signed. */
  body?: string;
}

/** `t=…,v1=HMAC-SHA256(secret, "<t>.<body>")`, hexadecimal: https://docs.stripe.com/webhooks#verify-manually */
export async function signatureOf(secret: string, timestamp: number, body: string): Promise<string> {
  const bytes = new TextEncoder();
  const hmac = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", bytes.encode(secret), hmac, false, ["sign"]);
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", key, bytes.encode(`${timestamp}.${body}`)));
  return `t=${timestamp},v1=${Array.from(mac, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export async function deliver(event: unknown, delivery: Delivery = {}): Promise<Reply> {
  const text = typeof event === "string" ? event : JSON.stringify(event);
  const timestamp = delivery.timestamp ?? Math.floor(Date.now() / 1_000);
  const { secret = WEBHOOK_SECRET, body = text } = delivery;
  const signature = delivery.signature === undefined ? await signatureOf(secret, timestamp, text) : delivery.signature;
  return rest(null, "POST", "/webhooks/stripe", body, signature === null ? {} : { "stripe-signature": signature });
}

export interface PaidSession {
  id: string;
  payment_intent: string | null;
  amount_total: number;
  [field: string]: unknown;
}

/** Opens a page to pay on and pays there. Returns the session as the event about it carries it. */
export async function buy(key: string, amount_cents: number, more: Record<string, unknown> = {}): Promise<PaidSession> {
  const { method, ...input } = more;
  const opened = await rest(key, "POST", "/v1/balance/top-up", { amount_cents, ...input });
  if (opened.status !== 200) throw new Error(`no page to pay on: ${JSON.stringify(opened.body)}`);
  const form = new URLSearchParams(typeof method === "string" ? { method } : {});
  const url = `${inject("stripeUrl")}/pay/${opened.body.checkout_session}`;
  return (await fetch(url, { method: "POST", body: form })).json();
}

export const newBuyer = (plan = "pro") => account(plan, { scopes: ["account", "usage", "chat"] });

/** An account that bought credit for so many cents, and the session it paid. */
export async function bought(cents: number) {
  const who = await newBuyer();
  const session = await buy(who.key, cents);
  const { body } = await deliver(eventOf("checkout.session.completed", session));
  if (body.outcome !== "posted") throw new Error(`not credited: ${JSON.stringify(body)}`);
  return { ...who, session };
}

/** The charge of a payment, so much of it refunded by now. */
export const chargeOf = (session: PaidSession, amount_refunded: number) => ({
  id: `ch_of_${session.payment_intent}`,
  object: "charge",
  currency: "usd",
  amount: session.amount_total,
  amount_refunded,
  payment_intent: session.payment_intent,
  metadata: session.metadata,
});

export const disputeOf = (session: PaidSession, amount: number, status: string) => ({
  id: `dp_of_${session.payment_intent}`,
  object: "dispute",
  currency: "usd",
  amount,
  status,
  payment_intent: session.payment_intent,
});

export const balanceOf = async (key: string) => (await rest(key, "GET", "/v1/balance?recent=100")).body;

/** Requests that Stripe's stand-in has served. */
export async function served(matching: (request: StripeRequest) => boolean): Promise<StripeRequest[]> {
  const log = (await (await fetch(`${inject("stripeUrl")}/log`)).json()) as StripeRequest[];
  return log.filter(matching);
}
