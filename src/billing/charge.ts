import type Stripe from "stripe";
import type { Env } from "../env.ts";
import { WaypostError } from "../errors.ts";
import type { TopUpOrder, TopUpOutcome } from "../ledger/types.ts";
import { ACCOUNT_KEY, kindOf, ORDER_KEY, stripeOf } from "./stripe.ts";

/** Words of Stripe for why a card was not charged: codes, never a text of theirs. */
const CODE = /^[a-z_]{1,64}$/;

/**
 * Pays an automatic top-up with the saved method while nobody is there. Never throws: what is not known to have failed is
 * `unknown`, and asking again with the same order pays once.
 */
export async function chargeSavedMethod(env: Env, order: TopUpOrder): Promise<TopUpOutcome> {
  try {
    const stripe = await stripeOf(env);
    const intent = order.paymentIntent
      ? await stripe.paymentIntents.retrieve(order.paymentIntent)
      : await stripe.paymentIntents.create(
          {
            amount: order.amountCents,
            currency: "usd",
            customer: order.customer,
            payment_method: order.paymentMethod,
            off_session: true,
            confirm: true,
            description: "Prepaid credit, automatic top-up",
            metadata: { [ACCOUNT_KEY]: order.account, [ORDER_KEY]: order.id },
          },
          { idempotencyKey: order.id },
        );
    return outcomeOf(intent);
  } catch (error) {
    return failureOf(error);
  }
}

function outcomeOf({ id, status, last_payment_error }: Stripe.PaymentIntent): TopUpOutcome {
  if (status === "succeeded") return { kind: "paid", paymentIntent: id };
  if (status === "processing") return { kind: "processing", paymentIntent: id };
  return { kind: "failed", reason: codeOf(last_payment_error?.decline_code ?? last_payment_error?.code ?? status) };
}

function failureOf(error: unknown): TopUpOutcome {
  if (error instanceof WaypostError) return { kind: "failed", reason: "stripe_not_configured" };
  const { code, decline_code } = error as { code?: unknown; decline_code?: unknown };
  switch (kindOf(error)) {
    case "StripeCardError":
      return { kind: "failed", reason: codeOf(decline_code ?? code) };
    case "StripeInvalidRequestError":
    case "StripeAuthenticationError":
    case "StripePermissionError":
      return { kind: "failed", reason: codeOf(code ?? "request_refused") };
    default:
      return { kind: "unknown" };
  }
}

const codeOf = (code: unknown): string => (typeof code === "string" && CODE.test(code) ? code : "declined");
