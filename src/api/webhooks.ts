import type { Context } from "hono";
import { readEvent } from "../auth/clerk/events.ts";
import { clerkIssuerName } from "../auth/clerk/issuer.ts";
import { verifyDelivery } from "../auth/clerk/signature.ts";
import { ClerkSync } from "../auth/clerk/sync.ts";
import { WaypostError } from "../errors.ts";
import type { Http, Route } from "../gate/route.ts";

/** Far more than Clerk has to say about one user. */
const MAX_BODY_BYTES = 256 * 1024;

/** Messages of other services, each signed with a secret that was agreed on. */
export const webhookRoutes: Route[] = [{ method: "POST", path: "/webhooks/clerk", guard: "protocol", handler: clerk }];

/**
 * Clerk's user events. Answers 200 `{outcome}` also to a delivery that was acted on before or does not concern us: any
 * other status has it sent again.
 */
async function clerk(c: Context<Http>): Promise<Response> {
  const issuer = clerkIssuerName(c.env);
  const secret = c.env.CLERK_WEBHOOK_SECRET;
  if (issuer === null) throw new WaypostError("not_configured", "CLERK_ISSUER is not set.");
  if (!secret) throw new WaypostError("not_configured", "CLERK_WEBHOOK_SECRET is not set.");
  const body = await readBody(c.req.raw);
  const delivery = verifyDelivery(secret, c.req.raw.headers, body);
  return c.json({ outcome: await new ClerkSync(c.env, issuer).apply(delivery, readEvent(parse(body))) });
}

async function readBody(request: Request): Promise<string> {
  const tooLarge = () =>
    new WaypostError("payload_too_large", `The body of a delivery may have at most ${MAX_BODY_BYTES} bytes.`);
  if (Number(request.headers.get("content-length")) > MAX_BODY_BYTES) throw tooLarge();
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true, fatal: false });
  let text = "";
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    text += decoder.decode(part, { stream: true });
  }
  return text + decoder.decode();
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    throw new WaypostError("invalid_json", "The body is not valid JSON.");
  }
}
