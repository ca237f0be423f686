import * as z from "zod";
import { WaypostError } from "../../errors.ts";
import { visible } from "../../visible.ts";

/** What Clerk sends, as far as it is read; what else is in it is passed over. */

const Id = z.string().min(1).max(255);
const Words = z.string().nullish();

const UserState = z.object({
  id: Id,
  first_name: Words,
  last_name: Words,
  username: Words,
  primary_email_address_id: z.string().nullish(),
  email_addresses: z.array(z.object({ id: z.string(), email_address: z.string() })).default([]),
  public_metadata: z.record(z.string(), z.unknown()).nullish(),
  /** Milliseconds since the epoch. */
  updated_at: z.number().int().nonnegative(),
});

const Envelope = z.object({ type: z.string(), data: z.unknown() });
const Deletion = z.object({ id: Id });

export type ClerkEvent =
  | {
      kind: "user";
      subject: string;
      name: string;
      email: string | null;
      /** As it stands in the metadata: it may not exist here. */
      plan: string | null;
      /** When the user was in this state, in ms since the epoch by Clerk's clock. */
      asOf: number;
    }
  | { kind: "removal"; subject: string }
  | { kind: "other" };

/** @throws WaypostError `invalid_input` when an event that concerns us is not of its form */
export function readEvent(json: unknown): ClerkEvent {
  const { type, data } = parsed(Envelope, json);
  if (type === "user.created" || type === "user.updated") return userEvent(parsed(UserState, data));
  if (type === "user.deleted") return { kind: "removal", subject: parsed(Deletion, data).id };
  return { kind: "other" };
}

function userEvent(user: z.output<typeof UserState>): ClerkEvent {
  const primary = user.email_addresses.find(({ id }) => id === user.primary_email_address_id)?.email_address ?? null;
  const email = primary !== null && primary.length <= 254 ? primary : null;
  const plan = user.public_metadata?.plan;
  return {
    kind: "user",
    subject: user.id,
    name: cut(`${user.first_name ?? ""} ${user.last_name ?? ""}`) || cut(user.username ?? "") || email || user.id,
    email,
    plan: typeof plan === "string" ? plan : null,
    asOf: user.updated_at,
  };
}

const cut = (text: string): string => visible(text).slice(0, 200);

function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => ({ path: path.join("."), message }));
  throw new WaypostError("invalid_input", "The event is not of its form.", { issues });
}
