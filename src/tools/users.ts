import * as z from "zod";
import type { ListedUser } from "../auth/directory.ts";
import { WaypostError } from "../errors.ts";
import { type Call, defineTool } from "./define.ts";

/** Operator's tools: who the users are, and how a person comes to be one. REST only. */

const CURSOR = /^(\d{4}-\d\d-\d\dT[\d:.]{8,16}Z)~(\w{1,64})$/;

const UserOutput = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string().nullable(),
  created_at: z.string(),
  deleted_at: z.string().nullable(),
  last_sign_in_at: z.string().nullable().describe("As far as it is known: a session that ended leaves no trace"),
  accounts: z.array(
    z.object({ account: z.string(), name: z.string(), plan: z.string(), role: z.string(), operator: z.boolean() }),
  ),
});

export const listUsers = defineTool({
  name: "list_users",
  title: "List users",
  description: "Every user, oldest first, with the accounts they belong to. Removed ones have `deleted_at`.",
  scope: "admin",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({
    limit: z.number().int().min(1).max(50).default(20),
    cursor: z
      .string()
      .regex(CURSOR, "Expected the `next` of the page before")
      .optional()
      .describe("`next` of the page before"),
  }),
  output: z.object({ users: z.array(UserOutput), next: z.string().nullable() }),
  rest: { method: "get", path: "/admin/users" },
  restOnly: true,
  run: async (call, { limit, cursor }) => {
    const [, created_at, id] = CURSOR.exec(cursor ?? "") ?? [];
    const { users, next } = await call.directory.users(limit, created_at && id ? { created_at, id } : null);
    return {
      users: await Promise.all(users.map((user) => shown(call, user))),
      next: next && `${next.created_at}~${next.id}`,
    };
  },
  text: ({ users }) => users.map(({ id, name }) => `${id} ${name}`).join("\n"),
});

async function shown(call: Call, { passkey_used_at, ...user }: ListedUser) {
  const newest = (await call.sessions.list(user.id)).at(-1);
  const times = [passkey_used_at, newest?.started_at ?? null].filter((time) => time !== null);
  return { ...user, last_sign_in_at: times.sort().at(-1) ?? null };
}

export const inviteOwner = defineTool({
  name: "invite_owner",
  title: "Invite an account's owner",
  description:
    "A link by which a person takes possession of the account's owner, once. It is shown only in this answer.",
  scope: "admin",
  annotations: { readOnlyHint: false, openWorldHint: false },
  input: z.strictObject({
    account: z.string().min(1).max(64).describe("Account id"),
    expires_in: z.number().int().min(60).max(2_592_000).default(604_800).describe("Seconds the link works"),
  }),
  output: z.object({ account: z.string(), user: z.string(), url: z.string(), expires_at: z.string() }),
  rest: { method: "post", path: "/admin/accounts/{account}/invitation" },
  restOnly: true,
  secretResult: true,
  run: async (call, { account, expires_in }) => {
    const { user } = await call.accounts.get(account);
    const memberships = await call.directory.membershipsOf(user);
    // A key must not become a person: who owns the installation is decided where it runs.
    if (memberships.some(({ operator }) => operator)) {
      throw new WaypostError("conflict", "The owner of this server is claimed by the link that `npm start` prints.");
    }
    return { account, user, ...(await call.invitations.create(user, { expiresInSeconds: expires_in })) };
  },
  text: ({ account, url, expires_at }) => `Owner of ${account}, until ${expires_at}: ${url}`,
});
