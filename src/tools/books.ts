import * as z from "zod";
import { defineTool } from "./define.ts";

/** Operator's tools: is the copy of the books in D1 what the ledgers say. REST only. */

const reading = { readOnlyHint: true, idempotentHint: true, openWorldHint: false };
const Count = z.number().int();

export const verifyAudit = defineTool({
  name: "verify_audit",
  title: "Verify an audit log",
  description:
    "Follows the hash chain of an account's audit log from its first line to the ledger's own head, and says where it breaks.",
  scope: "admin",
  annotations: reading,
  input: z.strictObject({ account: z.string().min(1).max(64).describe("Account id") }),
  output: z.object({
    account: z.string(),
    intact: z.boolean(),
    lines: Count.describe("Lines that follow from one another"),
    unchained: Count.describe("Lines of before the chain: nothing vouches for them"),
    ledger_lines: Count,
    acknowledged: Count,
    break: z
      .object({
        seq: Count,
        id: z.string().nullable(),
        reason: z.enum(["missing", "altered", "unlinked", "not the ledger's"]),
      })
      .nullable(),
  }),
  rest: { method: "get", path: "/admin/accounts/{account}/audit/verify" },
  restOnly: true,
  run: (call, { account }) => call.bookkeeping.verifyAudit(account),
  text: ({ account, intact, lines, unchained, break: broken }) =>
    intact
      ? `The audit log of ${account} is intact: ${lines} lines${unchained > 0 ? `, and ${unchained} of before the chain` : ""}.`
      : `The audit log of ${account} BREAKS at line ${broken?.seq} (${broken?.reason}), after ${lines} good lines.`,
});

export const readReconciliation = defineTool({
  name: "read_reconciliation",
  title: "Read the reconciliation",
  description:
    "The newest nightly comparison of the usage books in D1 with the ledgers, and every figure that differed.",
  scope: "admin",
  annotations: reading,
  input: z.strictObject({}),
  output: z.object({
    run: z
      .object({
        id: z.string(),
        started_at: z.string(),
        finished_at: z.string().nullable().describe("null: it goes on with the next turn"),
        accounts: Count,
        busy: Count.describe("Accounts that could not be compared"),
        drifts: Count,
      })
      .nullable()
      .describe("null: there was none yet"),
    drifts: z.array(
      z.object({
        account: z.string(),
        month: z.string(),
        book: z.enum(["usage_records", "monthly_usage"]),
        field: z.string(),
        ledger: Count,
        d1: Count,
      }),
    ),
  }),
  rest: { method: "get", path: "/admin/reconciliation" },
  restOnly: true,
  run: (call) => call.bookkeeping.reconciliation(),
  text: ({ run }) =>
    run
      ? `Reconciliation ${run.id} of ${run.started_at}: ${run.accounts} accounts, ${run.drifts} differences, ${run.busy} not compared.`
      : "There was no reconciliation yet.",
});
