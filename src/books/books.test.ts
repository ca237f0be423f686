import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { Accounts } from "../auth/accounts.ts";
import type { Env } from "../env.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { Bookkeeping } from "./bookkeeping.ts";
import { reconcile } from "./reconcile.ts";

const bindings = env as unknown as Env;
const books = new Bookkeeping(bindings);
let days = 0;

/** An account with calls that are on their way to D1. */
async function busyAccount(calls: number) {
  const accounts = new Accounts(bindings);
  const { account, user } = await accounts.create({ name: "books", plan: "enterprise" });
  const ledger = bindings.LEDGER.get(bindings.LEDGER.idFromName(account)) as unknown as Ledger;
  const key = { id: "key_b", hash: `hash-${account}`, name: "", user, scopes: ["chat"], expiresAt: null, limits: null };
  await ledger.createKey(key);
  const hold = {
    model: "openai/test",
    provider: "openai",
    price: { input: 1_000_000, output: 2_000_000 },
    markupBps: 10_300,
    inputTokens: 100,
    maxOutputTokens: 100,
    minOutputTokens: 1,
  };
  const run = async (callId: string) => {
    const facts = { account, callId, tool: "chat", via: "rest" as const };
    await ledger.admit(JSON.stringify({ ...facts, caller: { keyHash: key.hash }, scope: "chat", metered: true, hold }));
    const items = [{ model: hold.model, outcome: "ok" as const, usage: { input: 10, output: 5 } }];
    const ended = { ...facts, metered: true, keyId: key.id, user, hold, items, durationMs: 3 };
    await ledger.settle(JSON.stringify(ended));
  };
  for (let i = 0; i < calls; i++) await run(`${account}-${i}`);
  return { account, ledger, run };
}

/** The next night's comparison, to its end. */
async function night() {
  const now = new Date(Date.now() + ++days * 1_000);
  await env.DB.prepare("UPDATE reconciliation_runs SET started_at = '2020-01-01T00:00:00.000Z'").run();
  await reconcile(bindings, now);
  return books.reconciliation();
}

it("finds no drift in books that agree, calls on their way included, and finds what was planted", async () => {
  const { account, run } = await busyAccount(5);
  const clean = await night();
  expect(clean.run).toMatchObject({ busy: 0, drifts: 0, finished_at: expect.any(String) });
  expect(clean.run?.accounts).toBeGreaterThan(0);
  await run(`${account}-more`);
  expect((await night()).drifts).toEqual([]);

  await env.DB.prepare("UPDATE usage_records SET cost_nano = cost_nano + 1 WHERE id = ?").bind(`${account}-2`).run();
  await env.DB.prepare("UPDATE monthly_usage SET calls = calls - 1 WHERE account = ?").bind(account).run();
  const found = await night();
  const month = new Date().toISOString().slice(0, 7);
  expect(found.drifts).toEqual([
    { account, month, book: "monthly_usage", field: "calls", ledger: 6, d1: 5 },
    { account, month, book: "usage_records", field: "cost_nano", ledger: 6 * 20_600, d1: 6 * 20_600 + 1 },
  ]);
  expect(found.run?.drifts).toBe(2);
});

it("compares once a day", async () => {
  await busyAccount(1);
  await night();
  expect(await reconcile(bindings)).toBe(0);
});

it("verifies an audit log, and says where it was altered, cut or lengthened", async () => {
  const { account, ledger } = await busyAccount(6);
  await ledger.reconciliation([]);
  const whole = await books.verifyAudit(account);
  expect(whole).toEqual({
    account,
    intact: true,
    lines: 6,
    unchained: 0,
    ledger_lines: 6,
    acknowledged: 6,
    break: null,
  });
  const line = await env.DB.prepare("SELECT * FROM audit_logs WHERE account = ? AND seq = 4").bind(account).first();
  const broken = async (statement: string) => {
    await env.DB.prepare(statement).bind(account).run();
    return (await books.verifyAudit(account)).break;
  };
  expect(await broken("UPDATE audit_logs SET actor = 'nobody' WHERE account = ? AND seq = 4")).toEqual({
    seq: 4,
    id: line?.id,
    reason: "altered",
  });
  await env.DB.prepare("UPDATE audit_logs SET actor = ?2 WHERE account = ?1 AND seq = 4")
    .bind(account, line?.actor)
    .run();
  expect((await books.verifyAudit(account)).intact).toBe(true);
  expect(await broken("DELETE FROM audit_logs WHERE account = ? AND seq = 6")).toEqual({
    seq: 6,
    id: null,
    reason: "missing",
  });
  expect(await broken("DELETE FROM audit_logs WHERE account = ? AND seq = 3")).toEqual({
    seq: 3,
    id: null,
    reason: "missing",
  });
});

it("names lines of before the chain as such", async () => {
  const { account, ledger } = await busyAccount(1);
  await ledger.reconciliation([]);
  await env.DB.prepare(
    "INSERT INTO audit_logs (id, account, at, actor, action, via, status) VALUES (?, ?, '2026-01-01', 'u', 'chat', 'rest', 'ok')",
  )
    .bind(`old-${account}`, account)
    .run();
  expect(await books.verifyAudit(account)).toMatchObject({ intact: true, lines: 1, unchained: 1 });
});

it("does not take a line without a number for one of before the chain when it is later", async () => {
  const { account, ledger } = await busyAccount(3);
  await ledger.reconciliation([]);
  const insert = (id: string, at: string) =>
    env.DB.prepare(
      "INSERT INTO audit_logs (id, account, at, actor, action, via, status) VALUES (?, ?, ?, 'u', 'chat', 'rest', 'ok')",
    )
      .bind(id, account, at)
      .run();
  const first = await env.DB.prepare("SELECT at FROM audit_logs WHERE account = ? AND seq = 1")
    .bind(account)
    .first<{ at: string }>();
  const began = Date.parse(first?.at ?? "");
  await insert(`long-${account}`, new Date(began - 1_000).toISOString());
  expect(await books.verifyAudit(account)).toMatchObject({ intact: true, unchained: 1 });
  await insert(`forged-${account}`, new Date(began + 200_000).toISOString());
  expect(await books.verifyAudit(account)).toMatchObject({
    intact: false,
    unchained: 2,
    break: { seq: 0, id: `forged-${account}`, reason: "unlinked" },
  });
});
