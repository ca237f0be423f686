import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { ACCOUNT_KEY, ORDER_KEY } from "./stripe.ts";

/** What Stripe sends, as far as it is read; what else is in it is passed over. */

const Id = z.string().min(1).max(255);
/** An id, or the whole object where it was expanded. */
const Reference = z.union([Id, z.object({ id: Id }).transform(({ id }) => id)]).nullish();
const Cents = z.number().int().min(0).max(100_000_000_000);
const Metadata = z.record(z.string(), z.string()).nullish();
const Currency = z.string().min(1).max(16).toLowerCase();

const Session = z.object({
  id: Id,
  payment_status: z.string(),
  amount_total: Cents.nullish(),
  currency: Currency.nullish(),
  customer: Reference,
  payment_intent: Reference,
  metadata: Metadata,
});
const Intent = z.object({ id: Id, amount_received: Cents, currency: Currency, metadata: Metadata });
const Charge = z.object({
  id: Id,
  amount_refunded: Cents,
  currency: Currency,
  payment_intent: Reference,
  metadata: Metadata,
});
const Refund = z.object({ id: Id, amount: Cents, currency: Currency, charge: Reference, payment_intent: Reference });
const Dispute = z.object({ id: Id, amount: Cents, currency: Currency, status: z.string(), payment_intent: Reference });

interface Money {
  /** Id of what the event is about. */
  object: string;
  cents: number;
  currency: string;
  /** Account it names itself, if any. */
  account: string | null;
  /** Payment that names the account, when it does not. */
  paymentIntent: string | null;
}

export type MoneyEvent = Money &
  (
    | { kind: "paid"; customer: string | null }
    | { kind: "auto_paid"; order: string }
    /** `cents` of the charge are refunded by now. */
    | { kind: "refunded" }
    | { kind: "refund_failed"; charge: string }
    /** Money was taken back because of the dispute, and with `returned` given back again. */
    | { kind: "disputed"; returned: boolean }
  );

/**
 * What an event means for an account's money; null when nothing.
 * @throws WaypostError `invalid_input` when an event that concerns money is not of its form
 */
export function readMoneyEvent(type: string, object: unknown): MoneyEvent | null {
  switch (type) {
    case "checkout.session.completed":
    case "checkout.session.async_payment_succeeded":
      return sessionEvent(parsed(Session, object));
    case "payment_intent.succeeded":
      return intentEvent(parsed(Intent, object));
    case "charge.refunded":
      return chargeEvent(parsed(Charge, object));
    case "refund.failed":
      return refundEvent(parsed(Refund, object));
    case "charge.dispute.created":
    case "charge.dispute.funds_withdrawn":
    case "charge.dispute.closed":
    case "charge.dispute.funds_reinstated":
      return disputeEvent(type, parsed(Dispute, object));
    default:
      return null;
  }
}

function sessionEvent(session: z.output<typeof Session>): MoneyEvent | null {
  if (session.payment_status !== "paid" || !session.amount_total) return null;
  return {
    kind: "paid",
    object: session.id,
    cents: session.amount_total,
    currency: session.currency ?? "",
    account: session.metadata?.[ACCOUNT_KEY] ?? null,
    paymentIntent: session.payment_intent ?? null,
    customer: session.customer ?? null,
  };
}

/** A payment on a page is told by its session; only one that was made here without a page is told by itself. */
function intentEvent(intent: z.output<typeof Intent>): MoneyEvent | null {
  const order = intent.metadata?.[ORDER_KEY];
  if (order === undefined || intent.amount_received === 0) return null;
  return {
    kind: "auto_paid",
    object: intent.id,
    cents: intent.amount_received,
    currency: intent.currency,
    account: intent.metadata?.[ACCOUNT_KEY] ?? null,
    paymentIntent: intent.id,
    order,
  };
}

const chargeEvent = (charge: z.output<typeof Charge>): MoneyEvent => ({
  kind: "refunded",
  object: charge.id,
  cents: charge.amount_refunded,
  currency: charge.currency,
  account: charge.metadata?.[ACCOUNT_KEY] ?? null,
  paymentIntent: charge.payment_intent ?? null,
});

const refundEvent = (refund: z.output<typeof Refund>): MoneyEvent => ({
  kind: "refund_failed",
  object: refund.id,
  cents: refund.amount,
  currency: refund.currency,
  account: null,
  paymentIntent: refund.payment_intent ?? null,
  charge: refund.charge ?? "",
});

function disputeEvent(type: string, dispute: z.output<typeof Dispute>): MoneyEvent | null {
  // An inquiry takes no money; when it becomes a dispute, `funds_withdrawn` says so.
  if (dispute.status.startsWith("warning_") || dispute.amount === 0) return null;
  const returned =
    type === "charge.dispute.funds_reinstated" || (type === "charge.dispute.closed" && dispute.status === "won");
  return {
    kind: "disputed",
    object: dispute.id,
    cents: dispute.amount,
    currency: dispute.currency,
    account: null,
    paymentIntent: dispute.payment_intent ?? null,
    returned,
  };
}

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  throw new WaypostError("invalid_input", "The event is not of its form.", { issues });
}
