import type { Context } from "hono";
import { readEvent } from "../auth/clerk/events.ts";
import { clerkIssuerName } from "../auth/clerk/issuer.ts";
import { verifyDelivery } from "../auth/clerk/signature.ts";
import { ClerkSync } from "../auth/clerk/sync.ts";
import { WaypostError } from "../errors.ts";
import type { Http } from "../gate/route.ts";
import { readDelivery } from "./webhook_body.ts";

/**
 * Clerk's user events. Answers 200 `{outcome}` also to a delivery that was acted on before or does not concern us: any
 * other status has it sent again.
 */
export async function clerk(c: Context<Http>): Promise<Response> {
  const issuer = clerkIssuerName(c.env);
  const secret = c.env.CLERK_WEBHOOK_SECRET;
  if (issuer === null) throw new WaypostError("not_configured", "CLERK_ISSUER is not set.");
  if (!secret) throw new WaypostError("not_configured", "CLERK_WEBHOOK_SECRET is not set.");
  const body = await readDelivery(c.req.raw);
  const delivery = verifyDelivery(secret, c.req.raw.headers, body);
  return c.json({ outcome: await new ClerkSync(c.env, issuer).apply(delivery, readEvent(parse(body))) });
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new WaypostError("invalid_json", "The body is not valid JSON.");
  }
}
