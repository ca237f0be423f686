import { WaypostError } from "../errors.ts";
import type { SignedEvent } from "./apply.ts";
import { kindOf, stripeLibrary } from "./stripe.ts";

/** Seconds that a delivery may be old: Stripe signs a repeated one anew. */
const TOLERANCE_S = 300;
const MAX_HEADER_LENGTH = 4_096;

/**
 * The event in a delivery that Stripe signed: HMAC-SHA-256 over time and body, compared in constant time.
 * @param secret `whsec_…`
 * @throws WaypostError `unauthenticated`; `invalid_json` and `invalid_input` when what was signed is no event
 */
export async function verifyEvent(secret: string, header: string, body: string): Promise<SignedEvent> {
  const refused = () =>
    new WaypostError("unauthenticated", "The delivery is not signed with this endpoint's secret, or not lately.");
  if (header.length > MAX_HEADER_LENGTH) throw refused();
  const { default: Stripe } = await stripeLibrary();
  const crypto = Stripe.createSubtleCryptoProvider();
  try {
    const event = await Stripe.webhooks.constructEventAsync(body, header, secret, TOLERANCE_S, crypto);
    return checked(event);
  } catch (error) {
    if (kindOf(error) === "StripeSignatureVerificationError") throw refused();
    if (error instanceof SyntaxError) throw new WaypostError("invalid_json", "The body is not valid JSON.");
    throw error;
  }
}

function checked(event: unknown): SignedEvent {
  const { id, type, livemode, data } = (event ?? {}) as Partial<Record<keyof SignedEvent, unknown>>;
  const object = (data as { object?: unknown } | undefined)?.object;
  if (typeof id !== "string" || typeof type !== "string" || typeof livemode !== "boolean" || !object) {
    throw new WaypostError("invalid_input", "The delivery is not an event.");
  }
  return { id: id.slice(0, 255), type: type.slice(0, 255), livemode, data: { object } };
}
