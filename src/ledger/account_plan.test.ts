import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { HOLD, KEY, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";

/** Ledgers that wake when their plan is configured no more. */

const chat = { tool: "chat", scope: "chat", metered: true, hold: HOLD };

it("a plan that is gone lets nobody in but the operator, and leaves no trace of who was refused", () =>
  withLedger("gone", async ({ admit, ledger, account }) => {
    const gone = { kind: "refused", code: "not_configured", detail: expect.stringContaining(account) };
    expect(await admit({ ...chat, callId: "c1" })).toMatchObject(gone);
    expect(await admit({ reads: { quota: true } })).toMatchObject(gone);
    expect(await admit({ scope: null })).toMatchObject(gone);
    ledger.keys.create({ ...KEY, id: "key_2", hash: "hash-2", scopes: ["admin"] }, 0);
    const operator = { caller: { keyHash: "hash-2" }, scope: "admin", tool: "set_plan" };
    expect(await admit(operator)).toMatchObject({ kind: "admitted", windows: [{ limit: 10, remaining: 9 }, {}, {}] });
    expect(await admit({ ...operator, caller: { keyHash: KEY.hash } })).toMatchObject({ code: "insufficient_scope" });
    expect(ledger.setPlan("gone")).toMatchObject({ ok: false, code: "invalid_input" });
    expect(unwrap(ledger.setPlan("pro")).plan).toBe("pro");
    expect(await admit({ ...chat, callId: "c2" })).toMatchObject({ kind: "admitted", grantedOutputTokens: 100 });
  }));

it("a call that ends when its plan is gone is booked, and is not paid from credit", () =>
  withLedger("gone", async (bench) => {
    unwrap(await bench.ledger.credit("c", 1_000_000_000, "", KEY.id));
    const usage = { input: 100, output: 100 };
    expect(unwrap(await bench.settle("c1", { hold: HOLD, usage }))).toMatchObject({
      funding: "included",
      costNano: 309_000,
      creditNano: 0,
      left: { plan_tokens: 0, credit_nano: 1_000_000_000 },
    });
    const again = await bench.restart();
    expect(unwrap(await again.settle("c1", { hold: HOLD, usage })).costNano).toBe(309_000);
    expect(again.ledger.balance(1)).toMatchObject({ tokens: { included: 0, remaining: 0 } });
    expect(
      again.ledger.reserve({ account: "", callId: "c2", tool: "chat", via: "rest", keyId: KEY.id, hold: HOLD }),
    ).toMatchObject({
      code: "not_configured",
    });
    await again.ledger.onAlarm(env.DB);
    expect(unwrap(await again.ledger.audit()).consistent).toBe(true);
  }));
