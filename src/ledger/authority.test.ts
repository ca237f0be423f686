import { describe, expect, it } from "vitest";
import { type Bench, HOLD, KEY, START, withLedger } from "../../test/ledger_bench.ts";
import { type Result, unwrap } from "../errors.ts";
import type { Budget } from "./budget_types.ts";
import type { AdmitReply, KeyAuthor, KeySpec } from "./types.ts";

/** 100 tokens in and 100 out at the prices of the bench: the worst case of one call, nano-USD. */
const WORST = 309_000;
const chat = { tool: "chat", scope: "chat", metered: true, hold: { ...HOLD, minOutputTokens: HOLD.maxOutputTokens } };
const RULE = { thresholdNano: 1, amountCents: 500, monthlyMaxCents: 500 };
const HOOK = { id: "hook_1", url: "https://hooks.test/", secret: "whsec_c2VjcmV0" };

const as = (keyId: string): KeyAuthor => ({ keyId, user: KEY.user, scopes: KEY.scopes });
const make = ({ ledger, clock }: Bench, id: string, by?: KeyAuthor, over: Partial<KeySpec> = {}) =>
  unwrap(ledger.keys.create({ ...KEY, id, hash: `hash-${id}`, ...over }, clock.now, by));
const code = (reply: AdmitReply) => (reply.kind === "refused" ? reply.code : reply.kind);
const failure = (result: Result<unknown>) => (result.ok ? "ok" : result.code);
let calls = 0;
const ask = async (bench: Bench, keyId: string) => {
  const caller = { keyHash: keyId === KEY.id ? KEY.hash : `hash-${keyId}` };
  return code(await bench.admit({ ...chat, caller, callId: `c${++calls}` }));
};
const budget = (bench: Bench, id: string, over: Partial<Budget>, by?: KeyAuthor) =>
  bench.ledger.budgets.set({ id, nano_usd: 0, period: "month", kind: "hard", ...over }, bench.clock.now, by);

/** What would change what holds everybody, tried by one key. */
const sharedThings = async ({ ledger }: Bench, by: KeyAuthor) => [
  failure(ledger.setAutoTopUp(RULE, by)),
  failure(ledger.setAutoTopUp(null, by)),
  failure(ledger.prefer("openai/test", by)),
  failure(ledger.webhooks.add({ ...HOOK, id: `hook_${++calls}` }, by)),
  failure(ledger.webhooks.remove("hook_1", by)),
  failure(ledger.authority.bars(by, "buy credit") ?? { ok: true, value: null }),
];
const ALL_BARRED = Array(6).fill("exceeds_own_key");

describe("a key that is limited", () => {
  it.each<[string, Partial<KeySpec>]>([
    ["by a budget", { budget: { nano_usd: 1, period: "month" } }],
    ["by calls", { limits: { minute: 5 } }],
    ["by a time", { expiresAt: START + 1_000 }],
  ])("%s has no credit bought, silences no webhook and chooses nobody's model", (_, bounds) =>
    withLedger("enterprise", async (bench) => {
      unwrap(bench.ledger.webhooks.add(HOOK));
      make(bench, "key_2", undefined, bounds);
      expect(await sharedThings(bench, as("key_2"))).toEqual(ALL_BARRED);
      expect(bench.ledger.autoTopUp.view().rule).toBeNull();
      expect(bench.ledger.webhooks.list()).toHaveLength(1);
      expect(await sharedThings(bench, as(KEY.id))).toEqual(Array(6).fill("ok"));
    }),
  );

  it("revokes and renames itself and what it made, and neither its maker nor its siblings", () =>
    withLedger("enterprise", async (bench) => {
      const { keys } = bench.ledger;
      make(bench, "key_2", as(KEY.id), { limits: { minute: 50 } });
      make(bench, "sibling", as(KEY.id));
      make(bench, "child", as("key_2"));
      make(bench, "grandchild", as("child"));
      for (const id of [KEY.id, "sibling"]) {
        expect(failure(keys.revoke(id, START, as("key_2")))).toBe("exceeds_own_key");
        expect(failure(keys.update(id, { name: "taken" }, START, as("key_2")))).toBe("exceeds_own_key");
      }
      expect(failure(keys.revoke("key_2", START, as("child")))).toBe("exceeds_own_key");
      for (const id of ["grandchild", "child", "key_2"]) {
        expect(failure(keys.revoke(id, START, as("key_2")))).toBe("ok");
      }
      expect(failure(keys.revoke("sibling", START, as(KEY.id)))).toBe("ok");
      expect(failure(keys.revoke(KEY.id, START))).toBe("ok");
    }));

  it("ends the overlap of its own rotation", () =>
    withLedger("enterprise", async (bench) => {
      make(bench, "key_2", undefined, { limits: { minute: 50 } });
      const { keys } = bench.ledger;
      unwrap(keys.rotate("key_2", { hash: "fresh", overlapMs: 60_000 }, START, as("key_2")));
      expect(failure(keys.update("key_2", { previousUntil: START }, START, as("key_2")))).toBe("ok");
      expect(await ask(bench, "key_2")).toBe("key_expired");
    }));
});

describe("a maker that is limited later", () => {
  it.each<[string, (bench: Bench) => Promise<unknown>]>([
    ["with a budget of the account's", async (bench) => unwrap(await budget(bench, "k1b", { key_id: "maker" }))],
    [
      "with its own",
      async ({ ledger, clock }) =>
        unwrap(ledger.keys.update("maker", { budget: { nano_usd: 0, period: "month" } }, clock.now)),
    ],
  ])("%s binds the keys it made before as those it makes after", (_, limit) =>
    withLedger("enterprise", async (first) => {
      make(first, "maker");
      make(first, "before", as("maker"));
      make(first, "below", as("before"));
      await limit(first);
      make(first, "after", as("maker"));
      for (const bench of [first, await first.restart()]) {
        for (const id of ["maker", "before", "below", "after"]) expect(await ask(bench, id)).toBe("budget_exceeded");
        expect(await ask(bench, KEY.id)).toBe("admitted");
        for (const id of ["before", "below"]) {
          expect(await sharedThings(bench, as(id))).toEqual(ALL_BARRED);
          expect(failure(await budget(bench, "new", {}, as(id)))).toBe("exceeds_own_key");
          expect(failure(bench.ledger.budgets.remove("k1b", as(id)))).toMatch(/exceeds_own_key|not_found/);
          expect(failure(bench.ledger.keys.update("maker", { budget: null }, START, as(id)))).toBe("exceeds_own_key");
          expect(failure(bench.ledger.keys.revoke("maker", START, as(id)))).toBe("exceeds_own_key");
        }
      }
    }),
  );

  it("counts what they spent before, and their calls in its windows; without its bounds they are free again", () =>
    withLedger("enterprise", async (bench) => {
      make(bench, "maker");
      make(bench, "before", as("maker"));
      const callId = "spent before";
      await bench.admit({ ...chat, caller: { keyHash: "hash-before" }, callId });
      unwrap(await bench.settle(callId, { keyId: "before", hold: HOLD, usage: { input: 100, output: 100 } }));
      expect(unwrap(await budget(bench, "b", { key_id: "maker", nano_usd: 2 * WORST }))).toMatchObject({
        spent_nano: WORST,
      });
      expect([await ask(bench, "before"), await ask(bench, "before")]).toEqual(["admitted", "budget_exceeded"]);
      unwrap(bench.ledger.budgets.remove("b"));
      unwrap(bench.ledger.keys.update("maker", { limits: { minute: 2 } }, bench.clock.now));
      const tries = [await ask(bench, "before"), await ask(bench, "maker"), await ask(bench, "before")];
      expect(tries).toEqual(["admitted", "admitted", "rate_limited"]);
      unwrap(bench.ledger.keys.update("maker", { limits: null }, bench.clock.now));
      expect(await ask(bench, "before")).toBe("admitted");
      expect(await sharedThings(bench, as("before"))).toContain("ok");
    }));

  it("changes the limits of what it made while it had none", () =>
    withLedger("enterprise", async (bench) => {
      make(bench, "maker");
      make(bench, "before", as("maker"));
      unwrap(bench.ledger.keys.update("maker", { limits: { minute: 5 } }, bench.clock.now));
      const limits = { minute: 1 };
      expect(failure(bench.ledger.keys.update("before", { limits }, bench.clock.now, as("maker")))).toBe("ok");
    }));
});

describe("a grant or token that a budget names", () => {
  it("shares it with the keys that were made with it, and is barred as a key is", () =>
    withLedger("enterprise", async (bench) => {
      make(bench, "of-grant", as("grant_1"));
      make(bench, "below", as("of-grant"));
      expect(await ask(bench, "below")).toBe("admitted");
      unwrap(await budget(bench, "g", { key_id: "grant_1" }));
      for (const awake of [bench, await bench.restart()]) {
        expect(await ask(awake, "of-grant")).toBe("budget_exceeded");
        expect(await ask(awake, "below")).toBe("budget_exceeded");
        for (const id of ["grant_1", "of-grant", "below"]) {
          expect(await sharedThings(awake, as(id))).toEqual(ALL_BARRED);
          expect(failure(awake.ledger.keys.revoke(KEY.id, START, as(id)))).toBe("exceeds_own_key");
        }
      }
    }));
});
