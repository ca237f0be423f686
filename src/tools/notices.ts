import * as z from "zod";
import { defineTool } from "./define.ts";

/** Notices that budgets, plan tokens and credit run out, and the webhooks that are told of them. REST only. */

const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };
const WebhookId = z.string().min(1).max(64).describe("Webhook id, hook_…");

const WebhookOutput = z.object({
  id: z.string(),
  url: z.string(),
  created_at: z.string(),
  pending: z.number().int().describe("Notices it is still to be told of"),
  given_up: z.number().int().describe("Notices it could not be told of in three days"),
});

export const listNotices = defineTool({
  name: "list_notices",
  title: "List notices",
  description:
    "Notices, newest first, that 50, 80 or 100 % of a budget, of the plan's tokens or of the prepaid credit are used, or that calls begin to be refused, each given once, with how far the " +
    "webhooks have been told.",
  scope: "usage",
  annotations: reading,
  input: z.strictObject({ limit: z.number().int().min(1).max(100).default(20) }),
  output: z.object({
    notices: z.array(
      z.object({
        id: z.string(),
        at: z.string(),
        type: z.enum(["budget.threshold", "plan_tokens.threshold", "credit.threshold", "webhook.given_up"]),
        message: z.string(),
        data: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
        deliveries: z.array(
          z.object({
            webhook_id: z.string(),
            state: z.enum(["pending", "delivered", "given_up"]),
            attempts: z.number().int(),
            last_status: z.number().int().nullable(),
          }),
        ),
      }),
    ),
  }),
  rest: { method: "get", path: "/notices" },
  restOnly: true,
  run: async (call, { limit }) => ({ notices: await call.budgets.notices(limit) }),
  text: ({ notices }) => notices.map(({ at, message }) => `${at} ${message}`).join("\n"),
});

export const addWebhook = defineTool({
  name: "add_webhook",
  title: "Add a webhook",
  description:
    "Has every notice from now on sent to a URL, signed as Standard Webhooks says, repeated until it is answered 2xx or three days are over. The signing " +
    "secret is shown once, in this answer.",
  scope: "account",
  annotations: { readOnlyHint: false, openWorldHint: true },
  input: z.strictObject({ url: z.string().min(1).max(2_048).describe("https, on a public host") }),
  output: WebhookOutput.extend({ secret: z.string().describe("Shown only now") }),
  rest: { method: "post", path: "/webhooks" },
  restOnly: true,
  secretResult: true,
  run: (call, { url }) => call.budgets.addWebhook(url),
  text: ({ id, secret }) => `Webhook ${id} signs with ${secret}\nIt is shown only now.`,
});

export const listWebhooks = defineTool({
  name: "list_webhooks",
  title: "List webhooks",
  description: "The account's webhooks without their secrets, with how many notices each is still to be told of.",
  scope: "account",
  annotations: reading,
  input: z.strictObject({}),
  output: z.object({ webhooks: z.array(WebhookOutput) }),
  rest: { method: "get", path: "/webhooks" },
  restOnly: true,
  run: async (call) => ({ webhooks: await call.budgets.webhooks() }),
  text: ({ webhooks }) => webhooks.map(({ id, url }) => `${id} ${url}`).join("\n"),
});

export const deleteWebhook = defineTool({
  name: "delete_webhook",
  title: "Delete a webhook",
  description: "Removes a webhook; what it was still to be told is told no more.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ webhook_id: WebhookId }),
  output: z.object({ webhook_id: z.string(), deleted: z.boolean() }),
  rest: { method: "delete", path: "/webhooks/{webhook_id}" },
  restOnly: true,
  run: async (call, { webhook_id }) => {
    await call.budgets.removeWebhook(webhook_id);
    return { webhook_id, deleted: true };
  },
  text: ({ webhook_id }) => `Webhook ${webhook_id} is deleted.`,
});
