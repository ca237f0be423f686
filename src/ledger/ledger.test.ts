import { env, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Bench, HOLD, KEY, SECOND, START, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import { LEASE_MS } from "./ledger_parts.ts";
import type { AdmitReply } from "./types.ts";

const kinds = (replies: AdmitReply[]) => replies.filter((reply) => reply.kind === "admitted").length;
const code = (reply: AdmitReply) => (reply.kind === "refused" ? reply.code : reply.kind);

describe("ledger object", () => {
  it("says the same of a wrong key and of an account that does not exist, and writes nothing for either", async () => {
    const stub = env.LEDGER.get(env.LEDGER.idFromName("nobody"));
    const reply = await stub.identify({ keyHash: "hash" });
    expect(reply).toMatchObject({ kind: "refused", code: "unauthenticated" });
    await runInDurableObject(stub, async (_, state) => {
      expect(state.storage.sql.exec("SELECT count(*) AS n FROM sqlite_master WHERE name = 'account'").one().n).toBe(0);
    });
    await withLedger("free", async ({ ledger }) => expect(ledger.identify({ keyHash: "other" })).toEqual(reply));
  });

  it("opens once, on a plan that exists", async () => {
    const stub = env.LEDGER.get(env.LEDGER.idFromName("opened"));
    expect(await stub.open("opened", "gold")).toMatchObject({ ok: false, code: "invalid_input" });
    expect(await stub.open("opened", "pro")).toEqual({ ok: true, value: { opened: true } });
    expect(await stub.open("opened", "free")).toEqual({ ok: true, value: { opened: false } });
  });
});

describe("admission", () => {
  it("admits exactly the limit of 1,000 calls at once, and refused calls use nothing", () =>
    withLedger("enterprise", async ({ admit, clock, ledger }) => {
      const replies = await Promise.all(Array.from({ length: 1_000 }, () => admit()));
      expect(kinds(replies)).toBe(300);
      clock.now += 60 * SECOND;
      expect(kinds(await Promise.all(Array.from({ length: 400 }, () => admit())))).toBe(300);
      expect(unwrap(await ledger.audit()).consistent).toBe(true);
    }));

  it("gives the 11th call on the free plan an exact Retry-After", () =>
    withLedger("free", async ({ admit, clock }) => {
      for (let i = 0; i < 10; i++) {
        expect(code(await admit())).toBe("admitted");
        clock.now += 2 * SECOND;
      }
      clock.now += 300;
      const refused = await admit();
      expect(refused).toMatchObject({
        kind: "refused",
        code: "rate_limited",
        extras: { retry_after: 40, limit: "minute" },
      });
      clock.now += 39_699;
      expect(code(await admit())).toBe("rate_limited");
      clock.now += 1;
      expect(code(await admit())).toBe("admitted");
    }));

  it("keeps counting over a restart", () =>
    withLedger("free", async (bench) => {
      for (let i = 0; i < 7; i++) await bench.admit();
      const again = await bench.restart();
      expect(
        kinds(await Promise.all(Array.from({ length: 9 }, () => again.admit({ callId: crypto.randomUUID() })))),
      ).toBe(3);
    }));

  it("refuses a revoked key from the next call, an expired one, and a missing scope", () =>
    withLedger("free", async ({ admit, clock, ledger }) => {
      ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-2", expiresAt: START + 10 }, START);
      expect(code(await admit({ caller: { keyHash: "hash-2" } }))).toBe("admitted");
      clock.now += 10;
      expect(code(await admit({ caller: { keyHash: "hash-2" } }))).toBe("key_expired");
      expect(await admit({ scope: "admin" })).toMatchObject({
        code: "insufficient_scope",
        extras: { required_scope: "admin" },
      });
      ledger.keys.revoke(KEY.id, clock.now);
      expect(code(await admit())).toBe("key_revoked");
      expect(code(await admit({ caller: { keyHash: "hash-3" } }))).toBe("unauthenticated");
    }));

  it("holds a key to its own limits within the plan's", () =>
    withLedger("pro", async ({ admit, ledger }) => {
      ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-2", limits: { minute: 3 } }, START);
      const replies = await Promise.all(Array.from({ length: 10 }, () => admit({ caller: { keyHash: "hash-2" } })));
      expect(kinds(replies)).toBe(3);
      expect(kinds(await Promise.all(Array.from({ length: 100 }, () => admit())))).toBe(57);
    }));
});

describe("money", () => {
  const chat = { tool: "chat", scope: "chat", metered: true, hold: HOLD };

  it("holds, settles the actual and releases the rest, once", () =>
    withLedger("free", async ({ admit, settle, ledger }) => {
      expect(await admit({ ...chat, callId: "c1" })).toMatchObject({ kind: "admitted", grantedOutputTokens: 100 });
      const usage = { input: 90, output: 10 };
      const settled = unwrap(await settle("c1", { hold: HOLD, usage, model: HOLD.model }));
      // (90 × 1 + 10 × 2) micro-USD × 1.03
      expect(settled).toMatchObject({ costNano: 113_300, creditNano: 0, funding: "included" });
      expect(unwrap(await settle("c1", { hold: HOLD, usage: { input: 1, output: 1 }, model: HOLD.model }))).toEqual(
        settled,
      );
      const audit = unwrap(await ledger.audit());
      expect(audit).toMatchObject({
        consistent: true,
        reserved_nano: 0,
        open_holds: 0,
        settled_cost_nano: 113_300,
        entries: 2,
      });
    }));

  it("refuses what neither plan nor credit pays, with both ways out, and takes it once there is credit", () =>
    withLedger("free", async ({ admit, settle, ledger }) => {
      const big = { ...chat, hold: { ...HOLD, inputTokens: 2_000_000 } };
      expect(await admit({ ...big, callId: "c1" })).toMatchObject({
        code: "payment_required",
        extras: { credit_available_nano: 0 },
      });
      unwrap(await ledger.credit("p1", 3_000_000_000, "", "key"));
      unwrap(await ledger.credit("p1", 3_000_000_000, "", "key"));
      expect(code(await admit({ ...big, callId: "c2" }))).toBe("admitted");
      expect(code(await admit({ ...big, callId: "c3" }))).toBe("payment_required");
      const settled = unwrap(await settle("c2", { hold: big.hold, usage: { input: 1_000_000, output: 0 } }));
      expect(settled).toMatchObject({ creditNano: 1_030_000_000, balanceNano: 1_970_000_000, funding: "credit" });
      expect(unwrap(await ledger.audit())).toMatchObject({ consistent: true, balance_nano: 1_970_000_000 });
    }));

  it("admits exactly 10 of 200 parallel calls against credit for 10", () =>
    withLedger("free", async ({ admit, ledger, clock }) => {
      const drained = { ...HOLD, inputTokens: 999_900, maxOutputTokens: 100, minOutputTokens: 100 };
      expect(code(await admit({ ...chat, callId: "drain", hold: drained }))).toBe("admitted");
      unwrap(await ledger.credit("p1", 10 * 309_000, "", "key"));
      ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-2" }, START);
      let admitted = 0;
      for (let round = 0; round < 25; round++) {
        clock.now += 60 * SECOND;
        const calls = Array.from({ length: 8 }, (_, i) =>
          admit({ ...chat, callId: `b${round}-${i}`, hold: { ...HOLD, minOutputTokens: 100 } }),
        );
        admitted += kinds(await Promise.all(calls));
        if (clock.now - START > 99 * 60 * SECOND) break;
      }
      expect(admitted).toBe(10);
      expect(unwrap(await ledger.audit())).toMatchObject({ reserved_nano: 10 * 309_000, consistent: true });
    }));

  it("gives back the hold of a crashed call when its lease ends, and still bills it if it was done after all", () =>
    withLedger("free", async (bench) => {
      await bench.admit({ ...chat, callId: "lost" });
      const awake = await bench.restart();
      expect(unwrap(await awake.ledger.audit())).toMatchObject({ open_holds: 1 });
      awake.clock.now += LEASE_MS;
      await awake.ledger.onAlarm(env.DB);
      expect(unwrap(await awake.ledger.audit())).toMatchObject({
        open_holds: 0,
        consistent: true,
        settled_cost_nano: 0,
      });
      const late = unwrap(
        await awake.settle("lost", { hold: HOLD, usage: { input: 100, output: 0 }, model: HOLD.model }),
      );
      expect(late.costNano).toBe(103_000);
      const once = await awake.restart();
      unwrap(await once.settle("lost", { hold: HOLD, usage: { input: 100, output: 0 }, model: HOLD.model }));
      expect(unwrap(await once.ledger.audit())).toMatchObject({ consistent: true, settled_cost_nano: 103_000 });
    }));
});

describe("idempotency", () => {
  const idempotency = { key: "k", inputHash: "h" };

  it("runs one of 100 parallel calls and gives the rest its result, also after a restart", () =>
    withLedger("enterprise", async (bench) => {
      const first = await bench.admit({ callId: "first", idempotency });
      expect(first.kind).toBe("admitted");
      const rest = Array.from({ length: 99 }, () => bench.admit({ idempotency }));
      await new Promise((resolve) => setTimeout(resolve, 5));
      unwrap(await bench.settle("first", { idempotency, result: '{"n":1}' }));
      for (const reply of await Promise.all(rest))
        expect(reply).toMatchObject({ kind: "replay", callId: "first", result: '{"n":1}' });
      const awake = await bench.restart();
      expect(await awake.admit({ idempotency })).toMatchObject({ kind: "replay", callId: "first" });
      expect(code(await awake.admit({ idempotency: { key: "k", inputHash: "other" } }))).toBe("idempotency_conflict");
      awake.clock.now += 24 * 3_600 * SECOND;
      expect(code(await awake.admit({ callId: "tomorrow", idempotency }))).toBe("admitted");
    }));

  it("lets the next in line run when the first failed", () =>
    withLedger("enterprise", async (bench) => {
      await bench.admit({ callId: "first", idempotency });
      const second = bench.admit({ callId: "second", idempotency });
      unwrap(await bench.settle("first", { idempotency, error: "provider_failed" }));
      expect(code(await second)).toBe("admitted");
    }));

  it("is a matter of one key: another key's result is not shown", () =>
    withLedger("enterprise", async (bench) => {
      bench.ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-2" }, START);
      await bench.admit({ callId: "first", idempotency });
      unwrap(await bench.settle("first", { idempotency, result: "{}" }));
      expect(code(await bench.admit({ callId: "other", caller: { keyHash: "hash-2" }, idempotency }))).toBe("admitted");
    }));
});

describe("reports and outbox", () => {
  it("sum to the calls, live and after a restart, and reach D1 exactly once", () =>
    withLedger("enterprise", async (bench) => {
      const chat = { tool: "chat", scope: "chat", metered: true, hold: HOLD };
      let cost = 0;
      for (let i = 0; i < 20; i++) {
        await bench.admit({ callId: `u${i}` });
        await bench.admit({ ...chat, callId: `m${i}` });
        cost += unwrap(
          await bench.settle(`m${i}`, { hold: HOLD, usage: { input: i, output: i }, model: HOLD.model }),
        ).costNano;
      }
      await bench.settle("u0", { tool: "usage", error: "internal" });
      const report = async (b: Bench, id: string) => {
        const reply = await b.admit({ callId: id, reads: { recent: 50 } });
        return reply.kind === "admitted" ? reply.usage : undefined;
      };
      const live = await report(bench, "r1");
      expect(live?.total).toMatchObject({
        calls: 41,
        errors: 1,
        cost_nano: cost,
        input_tokens: 190,
        output_tokens: 190,
      });
      expect(live?.by_model[HOLD.model]).toMatchObject({ calls: 20, cost_nano: cost });
      expect(live?.recent.reduce((sum, call) => sum + call.cost_nano, 0)).toBe(cost);
      const awake = await bench.restart();
      const reread = await report(awake, "r2");
      expect(reread?.total).toEqual({ ...live?.total, calls: 42 });

      const { account } = awake;
      await awake.ledger.audit();
      awake.clock.now += 60 * SECOND;
      await awake.ledger.onAlarm(env.DB);
      await awake.ledger.onAlarm(env.DB);
      const books = await env.DB.prepare(
        "SELECT count(*) AS n, sum(cost_nano) AS cost FROM usage_records WHERE account = ?",
      )
        .bind(account)
        .first();
      expect(books).toEqual({ n: 20, cost });
      const audits = await env.DB.prepare("SELECT count(DISTINCT id) AS n FROM audit_logs WHERE account = ?")
        .bind(account)
        .first();
      expect(audits).toEqual({ n: 42 });
      const month = await env.DB.prepare("SELECT calls, errors, cost_nano FROM monthly_usage WHERE account = ?")
        .bind(account)
        .first();
      expect(month).toEqual({ calls: 42, errors: 1, cost_nano: cost });
    }));

  it("lose and double nothing when D1 fails before or after it wrote", () =>
    withLedger("enterprise", async (bench) => {
      for (let i = 0; i < 250; i++) await bench.admit({ callId: `d${i}` });
      let failures = 0;
      const flaky = new Proxy(env.DB, {
        get(db, property) {
          if (property !== "batch") return Reflect.get(db, property).bind(db);
          return async (statements: D1PreparedStatement[]) => {
            failures++;
            if (failures % 3 === 1) throw new Error("before");
            const result = await db.batch(statements);
            if (failures % 3 === 2) throw new Error("after");
            return result;
          };
        },
      });
      const { account } = bench;
      await bench.ledger.audit();
      for (let i = 0; i < 6; i++) {
        bench.clock.now += 60 * SECOND;
        await bench.ledger.onAlarm(flaky);
      }
      const audits = await env.DB.prepare("SELECT count(*) AS n FROM audit_logs WHERE account = ?")
        .bind(account)
        .first();
      expect(audits).toEqual({ n: 250 });
      expect(unwrap(await bench.ledger.audit()).outbox_pending).toBe(0);
    }));
});
