import Stripe from "stripe";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { IdentityServer } from "../upstream/identity_wire.ts";
import { startStripe } from "../upstream/stripe_server.ts";
import { startWaypost, type Waypost } from "./harness.ts";

/** Credit bought at Stripe from Waypost as it is built and started, which has less of Stripe's library than the source tests. */

const SECRET = "whsec_of_the_started_server";
const CENT = 10_000_000;
let stripe: IdentityServer;
let waypost: Waypost;
beforeAll(async () => {
  stripe = await startStripe();
  waypost = await startWaypost({
    vars: { STRIPE_SECRET_KEY: "sk_test_started", STRIPE_WEBHOOK_SECRET: SECRET, STRIPE_API_URL: stripe.url },
  });
});
afterAll(async () => {
  await waypost?.stop();
  await stripe?.close();
});

const call = async (method: string, path: string, body?: unknown) => {
  const headers = { authorization: `Bearer ${waypost.apiKey}`, "content-type": "application/json" };
  const response = await fetch(`${waypost.url}${path}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  } as RequestInit);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

/** Sends an event as Stripe's own library signs it. */
async function deliver(type: string, object: unknown) {
  const payload = JSON.stringify({ id: `evt_${type}`, object: "event", livemode: false, type, data: { object } });
  const signature = Stripe.webhooks.generateTestHeaderString({ payload, secret: SECRET });
  const headers = { "stripe-signature": signature };
  const response = await fetch(`${waypost.url}/webhooks/stripe`, { method: "POST", headers, body: payload });
  return { status: response.status, body: await response.json() };
}

it("a page to pay on, the payment, its refund", async () => {
  const page = await call("POST", "/v1/balance/top-up", { amount_cents: 1_500 });
  expect(page).toMatchObject({ status: 200, body: { amount_cents: 1_500 } });
  const paid = await fetch(`${stripe.url}/pay/${page.body.checkout_session}`, {
    method: "POST",
    body: new URLSearchParams(),
  });
  const session = (await paid.json()) as { payment_intent: string; metadata: Record<string, string> };
  expect(await deliver("checkout.session.completed", session)).toMatchObject({
    status: 200,
    body: { outcome: "posted" },
  });
  expect((await call("GET", "/v1/balance")).body).toMatchObject({ balance_nano: 1_500 * CENT });
  const { payment_intent, metadata } = session;
  const charge = {
    id: "ch_1",
    object: "charge",
    currency: "usd",
    amount: 1_500,
    amount_refunded: 500,
    payment_intent,
    metadata,
  };
  expect(await deliver("charge.refunded", charge)).toMatchObject({ status: 200, body: { outcome: "posted" } });
  expect((await call("GET", "/v1/balance")).body).toMatchObject({ balance_nano: 1_000 * CENT });
});
