import * as z from "zod";
import { formatUsd } from "../ledger/money.ts";
import { allowOwn } from "./accounts.ts";
import { CreditOutput, creditOutput, creditText } from "./credit_output.ts";
import { defineTool } from "./define.ts";
import { AutoTopUpOutput, autoTopUpOutput } from "./top_up.ts";

/** Prepaid credit as its owner and the operator see it. REST only; `usage` tells agents what is left. */

const whole = z.number().int();

export const readBalance = defineTool({
  name: "read_balance",
  title: "Balance",
  description:
    "Prepaid credit of this account: what there is, what running calls hold, what is available; the plan's tokens that are left; " +
    "the automatic top-up; and the newest movements. Amounts are integers in nano-USD (1e-9 USD).",
  scope: "usage",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    recent: z.number().int().min(0).max(100).default(10).describe("How many of the newest movements to list"),
  }),
  output: z.object({
    balance_nano: whole,
    reserved_nano: whole,
    available_nano: whole.describe("Below zero after a refund, a dispute or usage reported afterwards: to be paid"),
    tokens: z.object({ included: whole.nullable(), remaining: whole.nullable(), resets_at: z.string() }),
    auto_top_up: AutoTopUpOutput,
    entries: z.array(z.object({ id: z.string(), kind: z.string(), at: z.string(), nano_usd: whole, note: z.string() })),
  }),
  rest: { method: "get", path: "/balance" },
  restOnly: true,
  run: async (call, { recent }) => {
    const { auto_top_up, ...balance } = await call.billing.balance(call.principal.account, recent);
    return { ...balance, auto_top_up: autoTopUpOutput(auto_top_up) };
  },
  text: ({ available_nano, reserved_nano }) =>
    `Prepaid credit: $${formatUsd(available_nano)} available, $${formatUsd(reserved_nano)} held by running calls.`,
});

export const adjustCredit = defineTool({
  name: "adjust_credit",
  title: "Adjust prepaid credit",
  description:
    "Adds to an account's prepaid credit or takes from it, once per `id`: repeating it changes nothing, and with another amount it " +
    "is a `conflict`. It may fall below zero.",
  scope: "admin",
  annotations: { readOnlyHint: false, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    account: z.string().min(1).max(64).describe("Account id"),
    id: z.string().min(1).max(128).describe("Your reference; repeated, it is posted once"),
    nano_usd: z
      .number()
      .int()
      .min(-1_000_000_000_000_000)
      .max(1_000_000_000_000_000)
      .refine((nano) => nano !== 0, "An adjustment of nothing is none")
      .describe("Signed amount in nano-USD (1 USD = 1000000000)"),
    note: z.string().min(1).max(200).describe("Why: the account's owner reads it"),
  }),
  output: CreditOutput,
  rest: { method: "post", path: "/admin/accounts/{account}/adjust" },
  restOnly: true,
  run: async (call, { account, id, nano_usd, note }) => {
    await allowOwn(call, account, "change its account's credit");
    await call.accounts.get(account);
    const change = { id: `adjust:${id}`, nano: nano_usd, note, keyId: call.principal.keyId };
    return creditOutput(account, await call.billing.adjust(account, change));
  },
  text: creditText,
});

export const listUnmatchedPayments = defineTool({
  name: "list_unmatched_payments",
  title: "Payments without an account",
  description:
    "What Stripe told of and could not be booked: no account is named, it does not exist, or the currency is another. Newest " +
    "first. Book what is right with add_credit or adjust_credit.",
  scope: "admin",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ limit: z.number().int().min(1).max(500).default(50) }),
  output: z.object({
    payments: z.array(
      z.object({
        event_id: z.string(),
        type: z.string(),
        object_id: z.string(),
        account: z.string().nullable(),
        amount_cents: whole.nullable(),
        currency: z.string().nullable(),
        reason: z.string(),
        received_at: z.string(),
      }),
    ),
  }),
  rest: { method: "get", path: "/admin/payments/unmatched" },
  restOnly: true,
  run: async (call, { limit }) => ({ payments: await call.billing.unmatched(limit) }),
  text: ({ payments }) => `${payments.length} payments could not be booked.`,
});
