import type { Env } from "../env.ts";
import type { MoneyEvent } from "./events.ts";

/** A payment, refund or dispute that Stripe told of and that no account's books have. */
export interface UnmatchedPayment {
  event_id: string;
  type: string;
  object_id: string;
  account: string | null;
  amount_cents: number | null;
  currency: string | null;
  reason: UnmatchedReason;
  received_at: string;
}

export type UnmatchedReason = "no_account" | "unknown_account" | "currency" | "amount";

/** Keeps it for the operator, once, and says so in the log. */
export async function keepUnmatched(
  env: Env,
  event: { id: string; type: string },
  { object, account, cents, currency }: MoneyEvent,
  reason: UnmatchedReason,
): Promise<void> {
  await env.DB.prepare("INSERT INTO unmatched_payments VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
    .bind(
      event.id,
      event.type,
      object,
      account?.slice(0, 128) ?? null,
      cents,
      currency,
      reason,
      new Date().toISOString(),
    )
    .run();
  console.error(JSON.stringify({ event: "unmatched_payment", event_id: event.id, type: event.type, object, reason }));
}

/** Newest first. */
export async function listUnmatched(env: Env, limit: number): Promise<UnmatchedPayment[]> {
  const { results } = await env.DB.prepare("SELECT * FROM unmatched_payments ORDER BY received_at DESC LIMIT ?")
    .bind(limit)
    .all<UnmatchedPayment>();
  return results;
}
