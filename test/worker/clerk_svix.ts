import { env } from "cloudflare:test";
import { type Reply, rest } from "./client.ts";

/** Clerk's deliveries as Svix signs and sends them. */

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

export const SECRET = `whsec_${base64(new TextEncoder().encode("the signing secret of the test suite"))}`;

let sent = 0;

export interface Delivery {
  id?: string;
  /** Seconds since the epoch. */
  timestamp?: number;
  secret?: string;
  /** Sent instead of the right one. */
  signature?: string | null;
  /** Sent instead of what was signed. */
  body?: string;
}

export async function sign(secret: string, id: string, timestamp: number, body: string): Promise<string> {
  const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (c) => c.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${id}.${timestamp}.${body}`));
  return `v1,${base64(new Uint8Array(mac))}`;
}

export async function deliver(event: unknown, delivery: Delivery = {}): Promise<Reply> {
  const text = typeof event === "string" ? event : JSON.stringify(event);
  const id = delivery.id ?? `msg_${crypto.randomUUID().slice(0, 8)}${++sent}`;
  const timestamp = delivery.timestamp ?? Math.floor(Date.now() / 1_000);
  const signature =
    delivery.signature === undefined ? await sign(delivery.secret ?? SECRET, id, timestamp, text) : delivery.signature;
  return rest(null, "POST", "/webhooks/clerk", delivery.body ?? text, {
    "svix-id": id,
    "svix-timestamp": String(timestamp),
    ...(signature === null ? {} : { "svix-signature": signature }),
  });
}

/** A user as Clerk describes one, with what a test wants different. */
export function userEvent(type: "user.created" | "user.updated", id: string, over: Record<string, unknown> = {}) {
  const data = {
    id,
    object: "user",
    first_name: "Grace",
    last_name: "Hopper",
    username: null,
    primary_email_address_id: "idn_2",
    email_addresses: [
      { id: "idn_1", email_address: "old@example.test" },
      { id: "idn_2", email_address: "grace@example.test" },
    ],
    public_metadata: {},
    created_at: Date.now(),
    updated_at: Date.now(),
    ...over,
  };
  return { type, object: "event", data };
}

export const deletion = (id: string) => ({
  type: "user.deleted",
  object: "event",
  data: { id, object: "user", deleted: true },
});

/** Sets Clerk's settings of the running Worker. */
export function configureClerk(settings: {
  issuer?: string | undefined;
  secret?: string | undefined;
  parties?: string | undefined;
}): void {
  Object.assign(env, {
    CLERK_ISSUER: settings.issuer,
    CLERK_WEBHOOK_SECRET: settings.secret,
    CLERK_AUTHORIZED_PARTIES: settings.parties,
  });
}
