import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { parseArgs } from "node:util";
import { type AuditLine, ChainCheck } from "../src/ledger/audit_chain.ts";
import { acknowledgedHead, chainHead } from "../src/ledger/audit_chain_store.ts";

/**
 * Follows the audit log of every account, or of one, in a state directory, and compares it with the accounts' ledgers:
 *
 *   npm run verify:audit -- [--state DIR] [--account ID]
 *
 * Reads the files as they are. The copy may be behind what the ledger holds, which is no break: it says by how many lines.
 */

const LINES = `SELECT id, at, actor, action, subject, via, status, duration_ms, seq, prev, hash FROM audit_logs
  WHERE account = ? ORDER BY seq IS NOT NULL, seq`;

const { values } = parseArgs({
  options: { state: { type: "string", default: ".waypost" }, account: { type: "string" } },
});

/** The databases of one kind below the state directory. */
function databases(kind: string): DatabaseSync[] {
  const below = join(resolve(values.state), "store", kind);
  return readdirSync(below, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".sqlite") && !name.endsWith("metadata.sqlite"))
    .map((name) => new DatabaseSync(join(below, name), { readOnly: true }));
}

/** A database as the ledger's own code reads it. */
function sqlOf(database: DatabaseSync): SqlStorage {
  const exec = (query: string) => {
    const rows = database.prepare(query).all();
    return { toArray: () => rows, one: () => rows[0] };
  };
  return { exec } as unknown as SqlStorage;
}

const hasTable = (database: DatabaseSync, name: string): boolean =>
  database.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?").get(name) !== undefined;

/** The ledgers by the account they belong to. */
function ledgers(): Map<string, DatabaseSync> {
  const found = new Map<string, DatabaseSync>();
  for (const database of databases("do")) {
    if (!hasTable(database, "audit_chain")) {
      database.close();
      continue;
    }
    const { account } = database.prepare("SELECT account FROM account WHERE id = 1").get() as { account: string };
    found.set(account, database);
  }
  return found;
}

function main(): number {
  const books = databases("d1").find((database) => hasTable(database, "audit_logs"));
  if (!books) throw new Error("there is no audit log below this directory");
  const known = ledgers();
  const logged = books.prepare("SELECT DISTINCT account FROM audit_logs").all() as { account: string }[];
  const accounts = values.account
    ? [values.account]
    : new Set([...known.keys(), ...logged.map(({ account }) => account)]);
  if (values.account && !known.has(values.account) && !logged.some(({ account }) => account === values.account)) {
    throw new Error(`there is no account ${values.account} below this directory`);
  }
  let broken = 0;
  for (const account of accounts) {
    const ledger = known.get(account);
    const check = new ChainCheck(account);
    // First what the ledger has acknowledged, then the copy, then the ledger's end: each may only have grown.
    const acknowledged = ledger && acknowledgedHead(sqlOf(ledger));
    check.follow(books.prepare(LINES).all(account) as unknown as AuditLine[], acknowledged);
    if (ledger && acknowledged) check.end(acknowledged, chainHead(sqlOf(ledger)));
    const before = check.unchained > 0 ? `, ${check.unchained} of before the chain` : "";
    const waiting = ledger ? chainHead(sqlOf(ledger)).seq - check.head.seq : 0;
    const uncopied = waiting > 0 ? `, ${waiting} more wait in the ledger to be copied` : "";
    const { break: found } = check;
    if (found) broken++;
    const verdict = found
      ? `BREAKS at ${found.seq === 0 ? "a line without a number" : `line ${found.seq}`}: ${found.reason}${found.id ? ` (${found.id})` : ""}`
      : "intact";
    console.log(
      `${account}: ${check.lines} lines${before}${found ? "" : uncopied}; ${verdict}${ledger ? "" : "; it has no ledger here"}`,
    );
  }
  return broken;
}

try {
  process.exitCode = main() > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`verify:audit: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
