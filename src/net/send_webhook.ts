import { lazily } from "../lazily.ts";
import { whyNoTarget } from "./webhook_target.ts";

const library = lazily(() => import("standardwebhooks"));

/** One message to a webhook, the same at every attempt. */
export interface Outgoing {
  url: string;
  /** `whsec_…` */
  secret: string;
  id: string;
  body: string;
}

/** A receiver that is slower has not answered. */
const TIMEOUT_MS = 10_000;

/**
 * Sends a message signed as Standard Webhooks says, to where its URL leads now: a host that has become private since it was
 * set is not called, and no redirect is followed. Gives the HTTP status, or null when there was no answer.
 */
export async function sendWebhook({ url, secret, id, body }: Outgoing, loopback: boolean): Promise<number | null> {
  try {
    if ((await whyNoTarget(url, loopback)) !== null) return null;
    const { Webhook } = await library();
    const at = new Date();
    const response = await fetch(url, {
      method: "POST",
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        "Content-Type": "application/json",
        "User-Agent": "waypost-webhooks",
        "webhook-id": id,
        "webhook-timestamp": String(Math.floor(at.getTime() / 1_000)),
        "webhook-signature": new Webhook(secret).sign(id, at, body),
      },
      body,
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}
