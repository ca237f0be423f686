import * as z from "zod";
import { authorOf } from "../ledger/key_rules.ts";
import type { AutoTopUpView } from "../ledger/types.ts";
import { type Call, defineTool } from "./define.ts";

/** Buying prepaid credit for one's own account. REST only: an agent does not spend its owner's money on itself. */

const CENT_NANO = 10_000_000;
const buying = { readOnlyHint: false, openWorldHint: true };
const Cents = z.number().int().min(500).max(1_000_000);

export const topUp = defineTool({
  name: "top_up",
  title: "Buy prepaid credit",
  description:
    "Opens a page of Stripe on which the amount can be paid; the credit is there when Stripe has confirmed the payment. " +
    "Repeated with the same Idempotency-Key it is the same page.",
  scope: "account",
  annotations: buying,
  input: z.strictObject({
    amount_cents: Cents.describe("US cents, 500 to 1000000"),
    currency: z.literal("usd", { error: "Credit is in US dollars: only `usd`" }).default("usd"),
    save_payment_method: z
      .boolean()
      .default(false)
      .describe("Keep the card, so that automatic top-ups can be paid with it"),
  }),
  output: z.object({
    checkout_session: z.string(),
    url: z.string().describe("Where to pay"),
    amount_cents: z.number().int(),
    currency: z.string(),
    expires_at: z.string(),
  }),
  rest: { method: "post", path: "/balance/top-up" },
  restOnly: true,
  run: async (call, { amount_cents, currency, save_payment_method }) => {
    const order = {
      account: call.principal.account,
      amountCents: amount_cents,
      saveMethod: save_payment_method,
      attempt: call.attempt,
      origin: call.origin,
    };
    const { id, url, expires_at } = await call.billing.topUp(order, authorOf(call.principal));
    return { checkout_session: id, url, amount_cents, currency, expires_at };
  },
  text: ({ url, amount_cents }) => `Pay ${amount_cents} US cents at ${url}`,
});

export const AutoTopUpOutput = z.object({
  enabled: z.boolean().describe("It buys when credit runs low: there is a rule, a saved card, and nothing stopped it"),
  threshold_cents: z.number().nullable(),
  amount_cents: z.number().int().nullable(),
  monthly_max_cents: z.number().int().nullable(),
  bought_this_month_cents: z.number().int(),
  has_payment_method: z.boolean(),
  in_progress: z.boolean(),
  failures: z.number().int(),
  stopped: z.string().nullable().describe("Why it was switched off; setting it anew switches it on"),
});

export const setAutoTopUp = defineTool({
  name: "set_auto_top_up",
  title: "Set the automatic top-up",
  description:
    "Buys credit with the saved card when less than the threshold is available, at most so much in a calendar month. A card is " +
    "saved by a top-up with `save_payment_method`. After three failed payments it is switched off.",
  scope: "account",
  annotations: { ...buying, idempotentHint: true },
  input: z
    .strictObject({
      enabled: z.boolean().describe("false: removes the rule"),
      threshold_cents: z.number().int().min(0).max(1_000_000).optional(),
      amount_cents: Cents.optional(),
      monthly_max_cents: z.number().int().min(500).max(10_000_000).optional(),
    })
    .refine(
      ({ enabled, threshold_cents, amount_cents, monthly_max_cents }) =>
        !enabled || (threshold_cents !== undefined && amount_cents !== undefined && monthly_max_cents !== undefined),
      "Switched on it needs `threshold_cents`, `amount_cents` and `monthly_max_cents`",
    )
    .refine(
      ({ amount_cents, monthly_max_cents }) =>
        amount_cents === undefined || monthly_max_cents === undefined || amount_cents <= monthly_max_cents,
      "`monthly_max_cents` must allow for one top-up at least",
    ),
  output: AutoTopUpOutput,
  rest: { method: "patch", path: "/balance/auto-top-up" },
  restOnly: true,
  run: async (
    { billing, principal }: Call,
    { enabled, threshold_cents = 0, amount_cents = 0, monthly_max_cents = 0 },
  ) => {
    const bounds = { amountCents: amount_cents, monthlyMaxCents: monthly_max_cents };
    const rule = enabled ? { thresholdNano: threshold_cents * CENT_NANO, ...bounds } : null;
    return autoTopUpOutput(await billing.setAutoTopUp(principal.account, rule, authorOf(principal)));
  },
  text: ({ enabled }) => `Automatic top-up is ${enabled ? "on" : "off"}.`,
});

export function autoTopUpOutput(view: AutoTopUpView): z.output<typeof AutoTopUpOutput> {
  const { rule, has_payment_method, in_progress, failures, stopped, month_cents } = view;
  return {
    enabled: rule !== null && has_payment_method && stopped === null,
    threshold_cents: rule ? rule.thresholdNano / CENT_NANO : null,
    amount_cents: rule?.amountCents ?? null,
    monthly_max_cents: rule?.monthlyMaxCents ?? null,
    bought_this_month_cents: month_cents,
    has_payment_method,
    in_progress,
    failures,
    stopped,
  };
}
