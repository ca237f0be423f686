import type { Route } from "../gate/route.ts";
import { clerk } from "./webhook_clerk.ts";
import { stripe } from "./webhook_stripe.ts";

/** Messages of other services, each signed with a secret that was agreed on. */
export const webhookRoutes: Route[] = [
  { method: "POST", path: "/webhooks/clerk", guard: "protocol", handler: clerk },
  { method: "POST", path: "/webhooks/stripe", guard: "protocol", handler: stripe },
];
