import { z } from "zod";
import { DEFAULT_KEY_SCOPES, SCOPE_NAMES, type Scope } from "../auth/scopes.ts";
import { WaypostError } from "../errors.ts";
import { type Call, defineTool } from "./define.ts";

/** API keys of the caller's account; with the scope `admin`, of any account. REST only: an agent has no business here. */

const Account = z.string().min(1).max(64).optional().describe("Another account; needs the scope `admin`");
const KeyId = z.string().min(1).max(64).describe("Key id, key_…");
const Limit = z.number().int().positive().max(1_000_000).optional();

const KeyOutput = z.object({
  id: z.string(),
  name: z.string(),
  user: z.string(),
  scopes: z.array(z.string()),
  created_at: z.string(),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
  limits: z.object({ minute: Limit, hour: Limit, day: Limit }).nullable(),
});

export const createKey = defineTool({
  name: "create_key",
  title: "Create an API key",
  description: "Creates an API key. The key is shown once, in this answer.",
  scope: "account",
  annotations: { readOnlyHint: false, openWorldHint: false },
  input: z.strictObject({
    name: z.string().trim().min(1).max(100).describe("What the key is for"),
    account: Account,
    scopes: z
      .array(z.enum(SCOPE_NAMES))
      .min(1)
      .max(SCOPE_NAMES.length)
      .optional()
      .describe("Default: all but account and admin"),
    expires_in: z
      .number()
      .int()
      .positive()
      .max(315_360_000)
      .optional()
      .describe("Seconds until it expires; absent: never"),
    limits: z
      .strictObject({ minute: Limit, hour: Limit, day: Limit })
      .optional()
      .describe("Calls allowed to this key, within those of the plan"),
  }),
  output: KeyOutput.extend({ account: z.string(), api_key: z.string() }),
  rest: { method: "post", path: "/keys" },
  restOnly: true,
  secretResult: true,
  run: async (call, input) => {
    const account = accountFor(call, input.account);
    const foreign = account !== call.principal.account;
    const scopes =
      input.scopes ?? DEFAULT_KEY_SCOPES.filter((scope) => foreign || call.principal.scopes.includes(scope));
    if (!foreign) mayGrant(call, scopes);
    const user = foreign ? (await call.accounts.get(account)).user : call.principal.user;
    const key = await call.accounts.issueKey(account, {
      name: input.name,
      user,
      scopes: [...new Set(scopes)],
      expiresAt: input.expires_in === undefined ? null : Date.now() + input.expires_in * 1_000,
      limits: input.limits ?? null,
    });
    return { ...key, account };
  },
  text: (key) => `Key ${key.id} for account ${key.account}: ${key.api_key}\nIt is shown only now.`,
});

export const listKeys = defineTool({
  name: "list_keys",
  title: "List API keys",
  description: "The account's API keys, oldest first, without their secrets.",
  scope: "account",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ account: Account }),
  output: z.object({ keys: z.array(KeyOutput) }),
  rest: { method: "get", path: "/keys" },
  restOnly: true,
  run: async (call, input) => ({ keys: await call.accounts.listKeys(accountFor(call, input.account)) }),
  text: ({ keys }) => keys.map((key) => `${key.id} ${key.name}${key.revoked_at ? " (revoked)" : ""}`).join("\n"),
});

export const revokeKey = defineTool({
  name: "revoke_key",
  title: "Revoke an API key",
  description: "Revokes a key from the next call on. Revoking it again changes nothing.",
  scope: "account",
  annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ key_id: KeyId, account: Account }),
  output: KeyOutput,
  rest: { method: "delete", path: "/keys/{key_id}" },
  restOnly: true,
  run: (call, input) => call.accounts.revokeKey(accountFor(call, input.account), input.key_id),
  text: (key) => `Key ${key.id} (${key.name}) is revoked.`,
});

/** @throws WaypostError `insufficient_scope` for another account without `admin` */
function accountFor(call: Call, wanted: string | undefined): string {
  if (wanted === undefined || wanted === call.principal.account) return call.principal.account;
  if (!call.principal.scopes.includes("admin")) {
    throw new WaypostError("insufficient_scope", "Another account's keys need the scope `admin`.", {
      required_scope: "admin",
    });
  }
  return wanted;
}

/** Nobody hands out in their own account what they do not have. */
function mayGrant(call: Call, scopes: readonly Scope[]): void {
  const missing = scopes.find((scope) => !call.principal.scopes.includes(scope));
  if (missing) {
    throw new WaypostError("insufficient_scope", `Your own key lacks the scope \`${missing}\`.`, {
      required_scope: missing,
    });
  }
}
