import type { Env } from "../env.ts";
import { fail, type Result, unwrap, WaypostError } from "../errors.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { CreditMoved } from "../ledger/types.ts";
import { type MoneyEvent, readMoneyEvent } from "./events.ts";
import { ACCOUNT_KEY, asked, CENT_NANO, isLive, kindOf, stripeOf } from "./stripe.ts";
import { keepUnmatched } from "./unmatched.ts";

/** A signed event, as far as it is the same for all. */
export interface SignedEvent {
  id: string;
  type: string;
  livemode: boolean;
  data: { object: unknown };
}

/** `posted`: an entry was made; `duplicate`: it was there; `ignored`: no money moves; `unmatched`: kept for the operator. */
export type Outcome = "posted" | "duplicate" | "ignored" | "unmatched";

type LedgerApi = Pick<Ledger, "moveCredit" | "refundUpTo" | "refundFailed" | "autoTopUpPaid" | "rememberPayer">;

/**
 * Books what an event says about money, once, in whatever order and however often events come.
 * @throws WaypostError `invalid_input` for an event of the other mode, of another currency or not of its form;
 *   `payment_unavailable` and `conflict` when it must be sent again later
 */
export async function applyEvent(env: Env, event: SignedEvent): Promise<Outcome> {
  if (event.livemode !== isLive(env)) {
    const [theirs, ours] = event.livemode ? ["live", "test"] : ["test", "live"];
    throw new WaypostError("invalid_input", `This is a ${theirs} event, and STRIPE_SECRET_KEY is a ${ours} key.`);
  }
  const money = readMoneyEvent(event.type, event.data.object);
  if (!money) return "ignored";
  if (money.currency !== "usd") {
    await keepUnmatched(env, event, money, "currency");
    throw new WaypostError("invalid_input", "Credit is in US dollars: only `usd` is booked. The event is kept.");
  }
  const account = money.account ?? (await accountOfPayment(env, money.paymentIntent));
  if (account === null) return unmatched(env, event, money, "no_account");
  const ledger = env.LEDGER.get(env.LEDGER.idFromName(account)) as unknown as LedgerApi;
  const moved = await post(ledger, event, money);
  if (!moved.ok && moved.code === "not_found") return unmatched(env, event, { ...money, account }, "unknown_account");
  if (!moved.ok && moved.code === "invalid_input") return unmatched(env, event, { ...money, account }, "amount");
  const { posted } = unwrap(moved);
  if (money.kind === "paid" && money.customer) await rememberPayer(env, ledger, money.customer, money.paymentIntent);
  return posted ? "posted" : "duplicate";
}

async function unmatched(
  env: Env,
  event: SignedEvent,
  money: MoneyEvent,
  reason: Parameters<typeof keepUnmatched>[3],
): Promise<Outcome> {
  await keepUnmatched(env, event, money, reason);
  return "unmatched";
}

function post(ledger: LedgerApi, event: SignedEvent, money: MoneyEvent): Promise<Result<CreditMoved>> {
  const nano = money.cents * CENT_NANO;
  const from = { keyId: "stripe" };
  switch (money.kind) {
    case "paid":
      return ledger.moveCredit({ ...from, kind: "credit", id: `stripe:${money.object}`, nano, note: "top-up" });
    case "auto_paid":
      return ledger.autoTopUpPaid({ id: money.order, paymentIntent: money.object, amountCents: money.cents });
    case "refunded":
      return ledger.refundUpTo({ payment: money.object, event: event.id, nano, note: `refund of ${money.object}` });
    case "refund_failed":
      if (money.charge === "") return Promise.resolve(fail("invalid_input", "The refund names no charge."));
      return ledger.refundFailed({
        payment: money.charge,
        refund: money.object,
        nano,
        note: `refund ${money.object} failed`,
      });
    case "disputed":
      return dispute(ledger, money, nano);
  }
}

/** Whichever event comes first takes the money; only one that says so gives it back, after it was taken. */
async function dispute(
  ledger: LedgerApi,
  { object, returned }: MoneyEvent & { kind: "disputed" },
  nano: number,
): Promise<Result<CreditMoved>> {
  const taken = { kind: "dispute" as const, id: `dispute:${object}`, nano: -nano, note: "disputed", keyId: "stripe" };
  const moved = await ledger.moveCredit(taken);
  if (!moved.ok || !returned) return moved;
  return ledger.moveCredit({ ...taken, id: `dispute:${object}:won`, nano, note: "dispute won" });
}

/** The account that a payment was made for, as it was noted with it; null when there is no such payment or note. */
async function accountOfPayment(env: Env, paymentIntent: string | null): Promise<string | null> {
  if (paymentIntent === null) return null;
  const stripe = await stripeOf(env);
  const found = stripe.paymentIntents.retrieve(paymentIntent).catch((error) => {
    if (kindOf(error) === "StripeInvalidRequestError" && (error as { statusCode?: number }).statusCode === 404) {
      return null;
    }
    throw error;
  });
  return (await asked(found))?.metadata[ACCOUNT_KEY] ?? null;
}

/** Keeps a card that its owner let us use again. */
async function rememberPayer(env: Env, ledger: LedgerApi, customer: string, paymentIntent: string | null) {
  if (paymentIntent === null) return;
  const stripe = await stripeOf(env);
  const intent = await asked(stripe.paymentIntents.retrieve(paymentIntent));
  const { payment_method: method, setup_future_usage: usage } = intent;
  if (usage !== "off_session" || !method) return;
  unwrap(await ledger.rememberPayer(customer, typeof method === "string" ? method : method.id));
}
