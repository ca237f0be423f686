import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import { ACCOUNT_KEY, asked, stripeOf } from "./stripe.ts";

export interface CheckoutOrder {
  account: string;
  amountCents: number;
  /** Keep the card, so that automatic top-ups can be paid with it. */
  saveMethod: boolean;
  /** Stripe's id of who paid before, if the account has one. */
  customer: string | null;
  /** The same for a repeated attempt: Stripe then answers with the first session. */
  attempt: string;
  /** Origin of the pages that follow. */
  origin: string;
}

/**
 * Opens a page on which the amount can be paid. Nothing is credited until Stripe says that it was.
 * @throws WaypostError `not_configured`, `payment_unavailable`
 */
export async function openCheckout(
  env: Env,
  order: CheckoutOrder,
): Promise<{ id: string; url: string; expires_at: string }> {
  const stripe = await stripeOf(env);
  const metadata = { [ACCOUNT_KEY]: order.account };
  const session = await asked(
    stripe.checkout.sessions.create(
      {
        mode: "payment",
        client_reference_id: order.account,
        metadata,
        payment_intent_data: { metadata, ...(order.saveMethod ? { setup_future_usage: "off_session" } : {}) },
        line_items: [
          {
            quantity: 1,
            price_data: {
              currency: "usd",
              unit_amount: order.amountCents,
              product_data: { name: "Prepaid credit" },
            },
          },
        ],
        success_url: `${order.origin}/account`,
        cancel_url: `${order.origin}/account`,
        ...(order.customer ? { customer: order.customer } : order.saveMethod ? { customer_creation: "always" } : {}),
      },
      { idempotencyKey: `checkout_${order.account}_${order.attempt}` },
    ),
  );
  if (!session.url) throw new WaypostError("payment_unavailable", "Stripe gave no page to pay on.");
  return { id: session.id, url: session.url, expires_at: new Date(session.expires_at * 1_000).toISOString() };
}
