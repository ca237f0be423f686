import { env, runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { KEY, START } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import { Ledger } from "./ledger.ts";
import type { AdmitReply } from "./types.ts";

/** The tables and rows of a ledger that was opened before there were budgets: a key, a call that cost, an open hold. */
const BEFORE = `
  CREATE TABLE account (id INTEGER PRIMARY KEY CHECK (id = 1), account TEXT NOT NULL, plan TEXT NOT NULL, created_at INTEGER NOT NULL);
  CREATE TABLE keys (
    id TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, name TEXT NOT NULL, user TEXT NOT NULL, scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL, expires_at INTEGER, revoked_at INTEGER, last_used_at INTEGER, limits TEXT
  );
  CREATE TABLE books (
    id INTEGER PRIMARY KEY CHECK (id = 1), balance_nano INTEGER NOT NULL, settled_cost_nano INTEGER NOT NULL,
    month TEXT NOT NULL, tokens_used INTEGER NOT NULL
  );
  CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, call_id TEXT NOT NULL, kind TEXT NOT NULL, at INTEGER NOT NULL, key_id TEXT NOT NULL,
    hold_nano INTEGER NOT NULL, credit_nano INTEGER NOT NULL, tokens INTEGER NOT NULL, cost_nano INTEGER NOT NULL, detail TEXT NOT NULL
  );
  CREATE UNIQUE INDEX entries_once ON entries (call_id, kind);
  CREATE TABLE holds (call_id TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE call_batches (
    pos INTEGER PRIMARY KEY, calls INTEGER NOT NULL, metered INTEGER NOT NULL, cost_nano INTEGER NOT NULL, months TEXT NOT NULL, newest TEXT NOT NULL, body TEXT NOT NULL
  );
  CREATE TABLE tally (
    day TEXT NOT NULL, tool TEXT NOT NULL, model TEXT NOT NULL, key_id TEXT NOT NULL, calls INTEGER NOT NULL, errors INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL, cost_nano INTEGER NOT NULL,
    PRIMARY KEY (day, tool, model, key_id)
  ) WITHOUT ROWID;
  CREATE TABLE windows (scope TEXT PRIMARY KEY, body TEXT NOT NULL);
  CREATE TABLE results (
    key TEXT PRIMARY KEY, input_hash TEXT NOT NULL, call_id TEXT NOT NULL, result TEXT NOT NULL, cost_nano INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  );
  CREATE INDEX results_by_expiry ON results (expires_at);
  CREATE TABLE outbox (id INTEGER PRIMARY KEY CHECK (id = 1), acked INTEGER NOT NULL);
  INSERT INTO account VALUES (1, 'old', 'pro', ${START});
  INSERT INTO keys VALUES ('key_1', 'hash-1', 'test', 'usr_1', '["usage","chat"]', ${START}, NULL, NULL, NULL, '{"minute":9}');
  INSERT INTO books VALUES (1, 700, 5000, '2026-06', 40);
  INSERT INTO entries VALUES (1, 'credit:1', 'credit', ${START}, 'key_1', 0, 700, 0, 0, '{}');
  INSERT INTO entries VALUES (2, 'call_1', 'settle', ${START}, 'key_1', 0, 0, 40, 5000, '{}');
  INSERT INTO tally VALUES ('2026-06-15', 'chat', 'openai/test', 'key_1', 1, 0, 20, 20, 5000);
  INSERT INTO call_batches VALUES (1, 1, 1, 5000, '["2026-06"]', '2026-06-15T12:44:00.000Z', json_array(json_object(
    'id', 'call_1', 'pos', 1, 'at', '2026-06-15T12:44:00.000Z', 'tool', 'chat', 'model', 'openai/test', 'key_id', 'key_1', 'user', 'usr_1',
    'via', 'rest', 'client', NULL, 'input_tokens', 20, 'output_tokens', 20, 'cost_nano', 5000, 'credit_nano', 0, 'status', 'ok',
    'estimated', json('false'), 'duration_ms', 5)));
  INSERT INTO outbox VALUES (1, 1);
`;

const admitted = async (ledger: Ledger): Promise<AdmitReply> => {
  const facts = { account: "old", callId: crypto.randomUUID(), tool: "chat", via: "rest" };
  const request = { ...facts, caller: { keyHash: KEY.hash }, scope: "chat", metered: false, prefers: true };
  return JSON.parse(await ledger.admit(JSON.stringify(request)));
};

it("a ledger that was opened by an earlier version wakes with all it had, and can do what is new", async () => {
  await runInDurableObject(env.LEDGER.get(env.LEDGER.idFromName("old")), async (_, state) => {
    state.storage.sql.exec(BEFORE);
    const awake = new Ledger(state, env as never);
    expect(await awake.identify({ keyHash: KEY.hash })).toMatchObject({ identity: { plan: "pro", user: "usr_1" } });
    expect(unwrap(await awake.listKeys())[0]).toMatchObject({
      limits: { minute: 9 },
      budget: null,
      previous: null,
      created_by: null,
    });
    expect(unwrap(await awake.audit())).toMatchObject({
      consistent: true,
      balance_nano: 700,
      settled_cost_nano: 5_000,
    });
    const budget = { nano_usd: 6_000, period: "total" as const };
    expect(unwrap(await awake.updateKey("key_1", { budget })).budget?.spent_nano).toBe(5_000);
    const quarter = {
      slot: Date.parse("2026-06-15T12:30:00.000Z") / 900_000,
      tool: "chat",
      key_id: "key_1",
      cost_nano: 5_000,
    };
    expect(state.storage.sql.exec("SELECT * FROM spending").toArray()).toEqual([quarter]);
    const author = { keyId: "grant_1", user: "usr_1", scopes: [] };
    const whole = { id: "all", kind: "soft" as const, period: "total" as const, nano_usd: 5_000 };
    expect(unwrap(await awake.setBudget(whole, author)).spent_nano).toBe(5_000);
    const notices = unwrap(await awake.listNotices(9)).map(({ data }) => [data.budget_id, data.threshold]);
    expect(notices).toEqual([
      ["all", 100],
      ["all", 80],
      ["all", 50],
      ["key_1", 80],
      ["key_1", 50],
    ]);
    unwrap(await awake.setPlan("basic", Date.now()));
    unwrap(await awake.blockUser("usr_2"));
    expect(await admitted(awake)).not.toHaveProperty("preferred");
    unwrap(await awake.prefer("openai/gpt-4o"));

    const again = new Ledger(state, env as never);
    expect(await again.identify({ keyHash: KEY.hash })).toMatchObject({ identity: { plan: "basic" } });
    expect(await admitted(again)).toMatchObject({ kind: "admitted", preferred: "openai/gpt-4o" });
    expect(unwrap(await again.listKeys())[0]?.budget).toMatchObject({ ...budget, spent_nano: 5_000 });
    expect(await again.identify({ verified: { id: "jwt_1", user: "usr_2", scopes: [] } })).toMatchObject({
      kind: "refused",
    });
    const tables = "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name";
    const upgraded = state.storage.sql.exec(tables).toArray();
    await runInDurableObject(env.LEDGER.get(env.LEDGER.idFromName("new")), async (fresh: Ledger, { storage }) => {
      unwrap(await fresh.open("new", "pro"));
      const named = (rows: Record<string, SqlStorageValue>[]) => rows.map(({ name }) => name);
      expect(named(storage.sql.exec(tables).toArray())).toEqual(named(upgraded));
    });
  });
});
