import { Webhook } from "standardwebhooks";
import { WaypostError } from "../../errors.ts";

const ID = /^[\x21-\x7e]{1,128}$/;
const TIMESTAMP = /^\d{1,12}$/;
const MAX_SIGNATURES_LENGTH = 2_048;

/**
 * Verifies a delivery signed by Svix (the scheme of Standard Webhooks with headers of its own): HMAC-SHA-256 over id, time
 * and body, compared in constant time, at most 5 minutes old. Returns the delivery's id, the same when it is repeated.
 * @param secret `whsec_…`
 * @throws WaypostError `unauthenticated`; `not_configured` when the secret is none
 */
export function verifyDelivery(secret: string, headers: Headers, body: string): string {
  const id = headers.get("svix-id") ?? "";
  const timestamp = headers.get("svix-timestamp") ?? "";
  const signature = headers.get("svix-signature") ?? "";
  const webhook = webhookOf(secret);
  if (!ID.test(id) || !TIMESTAMP.test(timestamp) || signature.length > MAX_SIGNATURES_LENGTH) throw refused();
  try {
    webhook.verify(
      body,
      { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature },
      { jsonParse: false },
    );
  } catch {
    throw refused();
  }
  return id;
}

/** @throws WaypostError `not_configured` when the secret is none */
export function webhookOf(secret: string): Webhook {
  try {
    return new Webhook(secret);
  } catch {
    throw new WaypostError("not_configured", "CLERK_WEBHOOK_SECRET must be the signing secret, `whsec_…`.");
  }
}

const refused = (): WaypostError =>
  new WaypostError("unauthenticated", "The delivery is not signed with this endpoint's secret, or not lately.");
