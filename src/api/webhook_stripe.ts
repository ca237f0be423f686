import type { Context } from "hono";
import { applyEvent } from "../billing/apply.ts";
import { verifyEvent } from "../billing/signature.ts";
import { stripeOf } from "../billing/stripe.ts";
import { WaypostError } from "../errors.ts";
import type { Http } from "../gate/route.ts";
import { readDelivery } from "./webhook_body.ts";

/**
 * Stripe's events about payments, refunds and disputes. Answers 200 `{outcome}` also to one that was booked before, does
 * not concern us, or is kept for the operator: any other status has it sent again.
 */
export async function stripe(c: Context<Http>): Promise<Response> {
  await stripeOf(c.env);
  const secret = c.env.STRIPE_WEBHOOK_SECRET;
  if (!secret) throw new WaypostError("not_configured", "STRIPE_WEBHOOK_SECRET is not set.");
  const body = await readDelivery(c.req.raw);
  const event = await verifyEvent(secret, c.req.header("stripe-signature") ?? "", body);
  return c.json({ outcome: await applyEvent(c.env, event) });
}
