import * as z from "zod";
import { authorOf } from "../ledger/key_rules.ts";
import { CreditOutput, creditOutput, creditText } from "./credit_output.ts";
import { type Call, defineTool } from "./define.ts";

/** Operator's tools: accounts on any plan, their prepaid credit, and the check of their books. REST only. */

const AccountId = z.string().min(1).max(64).describe("Account id");
const Plan = z.string().min(1).max(32).describe("free, basic, pro, enterprise, or a configured plan");
const managing = { readOnlyHint: false, openWorldHint: false };

const AccountOutput = z.object({
  account: z.string(),
  name: z.string(),
  plan: z.string(),
  user: z.string(),
  created_at: z.string(),
});

export const createAccount = defineTool({
  name: "create_account",
  title: "Create an account",
  description: "Opens an account on a plan. Create a key for it with create_key.",
  scope: "admin",
  annotations: managing,
  input: z.strictObject({
    name: z.string().trim().min(1).max(200).describe("What people call it"),
    plan: Plan.default("free"),
  }),
  output: AccountOutput,
  rest: { method: "post", path: "/admin/accounts" },
  restOnly: true,
  run: (call, input) => call.accounts.create(input),
  text: (account) => `Account ${account.account} (${account.name}) is open on plan ${account.plan}.`,
});

const BooksOutput = z.object({
  balance_nano: z.number().int(),
  entries_sum_nano: z.number().int(),
  reserved_nano: z.number().int(),
  open_holds: z.number().int(),
  open_holds_sum_nano: z.number().int(),
  settled_cost_nano: z.number().int(),
  entries: z.number().int(),
  outbox_pending: z.number().int(),
  consistent: z.boolean(),
});

export const readAccount = defineTool({
  name: "read_account",
  title: "Read an account",
  description:
    "An account and the check of its books: balance against the sum of all entries, reservations against open holds.",
  scope: "admin",
  annotations: { readOnlyHint: true, idempotentHint: true, openWorldHint: false },
  input: z.strictObject({ account: AccountId }),
  output: AccountOutput.extend({ books: BooksOutput }),
  rest: { method: "get", path: "/admin/accounts/{account}" },
  restOnly: true,
  run: async (call, { account }) => {
    const info = await call.accounts.get(account);
    return { ...info, books: await call.accounts.audit(account) };
  },
  text: ({ account, plan, books }) =>
    `Account ${account}, plan ${plan}: books ${books.consistent ? "agree" : "DISAGREE"}, ${books.entries} entries, balance ${books.balance_nano} nano-USD.`,
});

export const setPlan = defineTool({
  name: "set_plan",
  title: "Move an account to another plan",
  description:
    "Changes an account's limits and included tokens from its next call on. What was used this month stays used.",
  scope: "admin",
  annotations: { ...managing, idempotentHint: true },
  input: z.strictObject({ account: AccountId, plan: Plan }),
  output: AccountOutput,
  rest: { method: "post", path: "/admin/accounts/{account}/plan" },
  restOnly: true,
  run: async (call, { account, plan }) => {
    await allowOwn(call, account, "change its account's plan");
    return call.accounts.setPlan(account, plan);
  },
  text: ({ account, plan }) => `Account ${account} is on plan ${plan}.`,
});

export const addCredit = defineTool({
  name: "add_credit",
  title: "Add prepaid credit",
  description:
    "Adds prepaid credit to an account, once per `id`: repeating it changes nothing, and with another amount it is a `conflict`.",
  scope: "admin",
  annotations: { ...managing, idempotentHint: true },
  input: z.strictObject({
    account: AccountId,
    id: z.string().min(1).max(128).describe("Your reference of this payment; repeated, it is credited once"),
    nano_usd: z
      .number()
      .int()
      .positive()
      .max(1_000_000_000_000_000)
      .describe("Amount in nano-USD (1 USD = 1000000000)"),
    note: z.string().max(200).default(""),
  }),
  output: CreditOutput,
  rest: { method: "post", path: "/admin/accounts/{account}/credit" },
  restOnly: true,
  run: async (call, { account, id, nano_usd, note }) => {
    await allowOwn(call, account, "add to its account's credit");
    const credit = { id: `credit:${id}`, nano: nano_usd, note, keyId: call.principal.keyId };
    return creditOutput(account, await call.accounts.addCredit(account, credit));
  },
  text: creditText,
});

/**
 * In their own account operators are as anybody: what is bounded there does not change what holds it.
 * @throws WaypostError `exceeds_own_key`
 */
export async function allowOwn({ accounts, principal }: Call, account: string, what: string): Promise<void> {
  if (account === principal.account) await accounts.allow(account, authorOf(principal), what);
}
