import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, expect, it } from "vitest";
import { linkRows } from "../../src/ledger/audit_chain.ts";
import type { OutboxRow } from "../../src/ledger/rows.ts";
import { createTables } from "../../src/ledger/schema.ts";

/** `npm run verify:audit` over a state directory of one account with a chain of three lines. */

const ROOT = join(import.meta.dirname, "../..");
const state = mkdtempSync(join(tmpdir(), "verify-audit-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

const begun = Date.UTC(2026, 10, 1);
const rows = [0, 1, 2].map((i) => ({
  id: `call_${i}`,
  at: new Date(begun + i * 1_000).toISOString(),
  ...{ user: "u", tool: "search", key_id: "k", via: "rest", status: "ok", duration_ms: 5 },
})) as unknown as OutboxRow[];

function open(kind: string): DatabaseSync {
  const folder = join(state, "store", kind);
  mkdirSync(folder, { recursive: true });
  return new DatabaseSync(join(folder, "one.sqlite"));
}

const { rows: lines, head } = linkRows("acc", { seq: 0, hash: "0".repeat(64) }, rows);
const ledger = open("do");
createTables({ exec: (query: string, ...values: number[]) => execute(ledger, query, values) } as unknown as SqlStorage);
ledger.exec("INSERT INTO account (id, account, plan, created_at) VALUES (1, 'acc', 'free', 0)");
ledger.exec("INSERT INTO outbox VALUES (1, 9)");
ledger.prepare("UPDATE audit_chain SET seq = ?, hash = ?").run(head.seq, head.hash);
const books = open("d1");
const migrations = join(ROOT, "migrations");
for (const name of readdirSync(migrations).sort()) books.exec(readFileSync(join(migrations, name), "utf8"));
const insert = books.prepare(
  `INSERT INTO audit_logs (id, account, at, actor, action, subject, via, status, duration_ms, seq, prev, hash)
   VALUES (?, 'acc', ?, 'u', 'search', 'k', 'rest', 'ok', 5, ?, ?, ?)`,
);
for (const { id, at, seq, prev, hash } of lines) insert.run(id, at, seq, prev, hash);

/** One statement with values or that is asked, or several. */
function execute(database: DatabaseSync, query: string, values: number[]) {
  if (values.length === 0 && !/^\s*SELECT/.test(query)) return database.exec(query);
  const found = database.prepare(query).all(...values);
  return { toArray: () => found, one: () => found[0] };
}

function verify(...args: string[]): { status: number | null; said: string } {
  const script = join(ROOT, "scripts/verify_audit.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--state", state, ...args], {
    encoding: "utf8",
  });
  return { status, said: `${stdout}${stderr}` };
}

it("an account that is not there is an error, and one that is can be asked for alone", () => {
  expect(verify("--account", "acc")).toEqual({ status: 0, said: "acc: 3 lines; intact\n" });
  expect(verify("--account", "nope")).toMatchObject({ status: 1, said: expect.stringContaining("no account nope") });
});

it("a line without a number is of before the chain, or was put in", () => {
  insert.run("old", new Date(begun - 1_000).toISOString(), null, null, null);
  expect(verify()).toEqual({ status: 0, said: "acc: 3 lines, 1 of before the chain; intact\n" });
  insert.run("forged", new Date(begun + 1_000).toISOString(), null, null, null);
  expect(verify()).toMatchObject({
    status: 1,
    said: expect.stringContaining("BREAKS at a line without a number: unlinked (forged)"),
  });
});
