import * as z from "zod";
import { DEFAULT_KEY_SCOPES, SCOPE_NAMES } from "../auth/scopes.ts";
import { WaypostError } from "../errors.ts";
import { authorOf } from "../ledger/key_rules.ts";
import type { KeyAuthor } from "../ledger/types.ts";
import { type Call, defineTool } from "./define.ts";
import { Account, Budget, KeyId, KeyName, KeyOutput, Limits, Overlap } from "./key_schema.ts";

/** API keys of the caller's account; with the scope `admin`, of any account. REST only: an agent has no business here. */

const managing = { readOnlyHint: false, openWorldHint: false };
const NewKeyOutput = KeyOutput.extend({ account: z.string(), api_key: z.string().describe("Shown only now") });

export const createKey = defineTool({
  name: "create_key",
  title: "Create an API key",
  description:
    "Creates an API key. The key is shown once, in this answer. A key made with another can do no more than that one: its " +
    "limits, budget and expiry are the other's unless tighter ones are given, and both share them.",
  scope: "account",
  annotations: managing,
  input: z.strictObject({
    name: KeyName.describe("What the key is for"),
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
    limits: Limits.optional().describe("Calls allowed to this key, within those of the plan"),
    budget: Budget.optional().describe("The most its calls may be worth, whoever pays"),
  }),
  output: NewKeyOutput,
  rest: { method: "post", path: "/keys" },
  restOnly: true,
  secretResult: true,
  run: async (call, input) => {
    const { account, by } = target(call, input.account);
    const scopes = input.scopes ?? DEFAULT_KEY_SCOPES.filter((scope) => !by || by.scopes.includes(scope));
    const spec = {
      name: input.name,
      user: by ? by.user : (await call.accounts.get(account)).user,
      scopes: [...new Set(scopes)],
      expiresAt: input.expires_in === undefined ? null : Date.now() + input.expires_in * 1_000,
      limits: input.limits ?? null,
      budget: input.budget ?? null,
    };
    return { ...(await call.accounts.issueKey(account, spec, by)), account };
  },
  text: (key) => `Key ${key.id} for account ${key.account}: ${key.api_key}\nIt is shown only now.`,
});

export const listKeys = defineTool({
  name: "list_keys",
  title: "List API keys",
  description:
    "The account's API keys, oldest first, without their secrets, with last use and what is left of budgets.",
  scope: "account",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ account: Account }),
  output: z.object({ keys: z.array(KeyOutput) }),
  rest: { method: "get", path: "/keys" },
  restOnly: true,
  run: async (call, input) => ({ keys: await call.accounts.listKeys(target(call, input.account).account) }),
  text: ({ keys }) => keys.map((key) => `${key.id} ${key.name}${key.revoked_at ? " (revoked)" : ""}`).join("\n"),
});

export const updateKey = defineTool({
  name: "update_key",
  title: "Change an API key",
  description:
    "Renames a key or changes its limits or budget, from the next call on. What is left out stays; null removes.",
  scope: "account",
  annotations: { ...managing, idempotentHint: true },
  input: z.strictObject({
    key_id: KeyId,
    account: Account,
    name: KeyName.optional(),
    limits: Limits.nullable().optional(),
    budget: Budget.nullable().optional(),
    overlap: Overlap.optional().describe(
      "Seconds from now that the secret before the last rotation works at most; 0: not any more",
    ),
  }),
  output: KeyOutput,
  rest: { method: "patch", path: "/keys/{key_id}" },
  restOnly: true,
  run: async (call, { key_id, account: wanted, overlap, ...changes }) => {
    const { account, by } = target(call, wanted);
    const previousUntil = overlap === undefined ? {} : { previousUntil: Date.now() + overlap * 1_000 };
    return call.accounts.updateKey(account, key_id, { ...changes, ...previousUntil }, by);
  },
  text: (key) => `Key ${key.id} is called ${key.name}.`,
});

export const rotateKey = defineTool({
  name: "rotate_key",
  title: "Rotate an API key",
  description:
    "Gives a key a new secret, shown once, in this answer. Id, name, scopes, limits, budget and reports stay; the present " +
    "secret works on for `overlap` seconds, and one that was rotated away before ends now.",
  scope: "account",
  annotations: { ...managing, destructiveHint: true },
  input: z.strictObject({ key_id: KeyId, account: Account, overlap: Overlap.default(86_400) }),
  output: NewKeyOutput,
  rest: { method: "post", path: "/keys/{key_id}/rotate" },
  restOnly: true,
  secretResult: true,
  run: async (call, { key_id, account: wanted, overlap }) => {
    const { account, by } = target(call, wanted);
    return { ...(await call.accounts.rotateKey(account, key_id, overlap, by)), account };
  },
  text: (key) => `Key ${key.id} is now: ${key.api_key}\nIt is shown only now.`,
});

export const revokeKey = defineTool({
  name: "revoke_key",
  title: "Revoke an API key",
  description: "Revokes a key from the next call on. Revoking it again changes nothing.",
  scope: "account",
  annotations: { ...managing, destructiveHint: true, idempotentHint: true },
  input: z.strictObject({ key_id: KeyId, account: Account }),
  output: KeyOutput,
  rest: { method: "delete", path: "/keys/{key_id}" },
  restOnly: true,
  run: (call, input) => {
    const { account, by } = target(call, input.account);
    return call.accounts.revokeKey(account, input.key_id, by);
  },
  text: (key) => `Key ${key.id} (${key.name}) is revoked.`,
});

/**
 * The account whose keys are meant, and by whom: in their own account callers give no more than they have, in another
 * one they act as the operator.
 * @throws WaypostError `insufficient_scope` for another account without `admin`
 */
function target({ principal }: Call, wanted: string | undefined): { account: string; by?: KeyAuthor } {
  const { account, scopes } = principal;
  if (wanted === undefined || wanted === account) return { account, by: authorOf(principal) };
  if (scopes.includes("admin")) return { account: wanted };
  throw new WaypostError("insufficient_scope", "Another account's keys need the scope `admin`.", {
    required_scope: "admin",
  });
}
