import { describe, expect, it } from "vitest";
import { type Bench, KEY, SECOND, START, withLedger } from "../../test/ledger_bench.ts";
import { type Result, unwrap } from "../errors.ts";
import type { AdmitReply, KeyAuthor, KeyInfo, KeySpec } from "./types.ts";

const code = (reply: AdmitReply) => (reply.kind === "refused" ? reply.code : reply.kind);
const failure = (result: Result<unknown>) => (result.ok ? "ok" : result.code);
const as = (keyId: string, over: Partial<KeyAuthor> = {}): KeyAuthor => ({
  keyId,
  user: KEY.user,
  scopes: KEY.scopes,
  ...over,
});
const make = ({ ledger, clock }: Bench, id: string, over: Partial<KeySpec> = {}, by?: KeyAuthor): Result<KeyInfo> =>
  ledger.keys.create({ ...KEY, id, hash: `hash-${id}`, ...over }, clock.now, by);
const using = (id: string) => ({ caller: { keyHash: `hash-${id}` } });

describe("a key made with another", () => {
  it("has no more than that one, and what is left out is that one's", () =>
    withLedger("enterprise", async (bench) => {
      const bounds = {
        limits: { minute: 5 },
        budget: { nano_usd: 1_000, period: "month" as const },
        expiresAt: START + 10 * SECOND,
      };
      unwrap(make(bench, "key_2", { ...bounds, scopes: ["usage"] }));
      const author = as("key_2", { scopes: ["usage"] });
      const wider: Partial<KeySpec>[] = [
        { limits: { minute: 6 } },
        { budget: { nano_usd: 1_001, period: "total" } },
        { expiresAt: START + 11 * SECOND },
      ];
      for (const over of wider) {
        expect(failure(make(bench, "key_x", { scopes: ["usage"], ...over }, author))).toBe("exceeds_own_key");
      }
      expect(make(bench, "key_x", { scopes: ["usage", "chat"] }, author)).toMatchObject({
        code: "insufficient_scope",
        extras: { required_scope: "chat" },
      });
      expect(bench.ledger.keys.list()).toHaveLength(2);
      const child = unwrap(make(bench, "key_3", { scopes: ["usage"], limits: { hour: 50 } }, author));
      expect(child).toMatchObject({
        created_by: "key_2",
        limits: { minute: 5, hour: 50 },
        budget: { nano_usd: 1_000, period: "month" },
        expires_at: new Date(START + 10 * SECOND).toISOString(),
      });
    }));

  it("calls within that one's limits, so that many keys are no more than one", () =>
    withLedger("enterprise", async (bench) => {
      unwrap(make(bench, "key_2", { limits: { minute: 4 } }));
      unwrap(make(bench, "key_3", {}, as("key_2")));
      unwrap(make(bench, "key_4", {}, as("key_3")));
      const count = async (calls: number, id: string, awake = bench) => {
        const replies = await Promise.all(
          Array.from({ length: calls }, () => awake.admit({ ...using(id), callId: crypto.randomUUID() })),
        );
        return replies.filter(({ kind }) => kind === "admitted").length;
      };
      expect(await count(2, "key_4")).toBe(2);
      expect(await count(9, "key_3")).toBe(2);
      expect(await count(1, "key_2")).toBe(0);
      expect(await count(1, "key_4", await bench.restart())).toBe(0);
      expect(code(await bench.admit({ callId: "unbounded" }))).toBe("admitted");
    }));
});

describe("a key that is limited", () => {
  it("changes and rotates itself and its offspring only, and never its own limits", () =>
    withLedger("enterprise", async (bench) => {
      const { keys } = bench.ledger;
      unwrap(make(bench, "key_2", { limits: { minute: 4 } }));
      unwrap(make(bench, "key_3", {}, as("key_2")));
      const secret = { hash: "stolen", overlapMs: 0 };
      const now = bench.clock.now;
      expect(failure(keys.update("key_2", { limits: null }, now, as("key_2")))).toBe("exceeds_own_key");
      expect(failure(keys.update("key_1", { budget: null }, now, as("key_2")))).toBe("exceeds_own_key");
      expect(failure(keys.update("key_2", { limits: null }, now, as("key_3")))).toBe("exceeds_own_key");
      expect(failure(keys.rotate("key_1", secret, now, as("key_2")))).toBe("exceeds_own_key");
      expect(failure(keys.rotate("key_2", secret, now, as("key_3")))).toBe("exceeds_own_key");
      expect(failure(keys.update("key_2", { name: "mine" }, now, as("key_2")))).toBe("ok");
      expect(failure(keys.update("key_3", { limits: null }, now, as("key_2")))).toBe("ok");
      expect(failure(keys.rotate("key_3", secret, now, as("key_2")))).toBe("ok");
      expect(failure(keys.rotate("key_2", { ...secret, hash: "own" }, now, as("key_2")))).toBe("ok");
    }));

  it("and one of another user, or with fewer scopes, cannot have the secret of a key that can more", () =>
    withLedger("free", async (bench) => {
      const secret = { hash: "stolen", overlapMs: 0 };
      const rotate = (by: KeyAuthor) => bench.ledger.keys.rotate("key_1", secret, bench.clock.now, by);
      expect(failure(rotate(as("grant_1", { user: "usr_2" })))).toBe("exceeds_own_key");
      expect(failure(rotate(as("grant_1", { scopes: ["usage"] })))).toBe("insufficient_scope");
      expect(code(await bench.admit({ caller: { keyHash: "stolen" } }))).toBe("unauthenticated");
      expect(code(await bench.admit())).toBe("admitted");
    }));
});

describe("rotation", () => {
  it("lets both secrets in for the overlap, then the new one; it stays one key in limits, reports and replays", () =>
    withLedger("enterprise", async (first) => {
      unwrap(make(first, "key_2", { limits: { minute: 3 } }));
      const [old, fresh] = [using("key_2"), { caller: { keyHash: "fresh" } }];
      const idempotency = { key: "k", inputHash: "h" };
      await first.admit({ ...old, callId: "c1", idempotency });
      unwrap(await first.settle("c1", { keyId: "key_2", tool: "usage", idempotency, result: "{}" }));
      const rotated = first.ledger.keys.rotate("key_2", { hash: "fresh", overlapMs: 60 * SECOND }, first.clock.now);
      expect(unwrap(rotated).previous).toEqual({
        expires_at: new Date(START + 60 * SECOND).toISOString(),
        last_used_at: null,
      });
      const bench = await first.restart();
      expect(await bench.admit({ ...fresh, callId: "c2", idempotency })).toMatchObject({
        kind: "replay",
        callId: "c1",
      });
      bench.clock.now += SECOND;
      expect(code(await bench.admit({ ...old, callId: "c3" }))).toBe("admitted");
      expect(code(await bench.admit({ ...fresh, callId: "c4" }))).toBe("admitted");
      expect(code(await bench.admit({ ...fresh, callId: "c5" }))).toBe("rate_limited");
      const key = bench.ledger.keys.list().find(({ id }) => id === "key_2");
      expect(key?.previous?.last_used_at).toBe(new Date(START + SECOND).toISOString());
      bench.clock.now += 59 * SECOND;
      expect(code(await bench.admit({ ...old, callId: "c6" }))).toBe("key_expired");
      expect(code(await bench.admit({ ...fresh, callId: "c7" }))).toBe("admitted");
      bench.ledger.keys.revoke("key_2", bench.clock.now);
      expect(code(await bench.admit({ ...fresh, callId: "c8" }))).toBe("key_revoked");
      expect(failure(bench.ledger.keys.rotate("key_2", { hash: "x", overlapMs: 0 }, bench.clock.now))).toBe("conflict");
    }));

  it("ends the overlap before it, and an overlap can be ended by itself but not drawn out", () =>
    withLedger("enterprise", async ({ admit, ledger, clock }) => {
      const until = (ms: number) => ledger.keys.update("key_1", { previousUntil: clock.now + ms }, clock.now);
      unwrap(ledger.keys.rotate("key_1", { hash: "second", overlapMs: 60 * SECOND }, clock.now));
      unwrap(ledger.keys.rotate("key_1", { hash: "third", overlapMs: 60 * SECOND }, clock.now));
      expect(code(await admit())).toBe("unauthenticated");
      expect(code(await admit({ caller: { keyHash: "second" } }))).toBe("admitted");
      expect(unwrap(until(999 * SECOND)).previous?.expires_at).toBe(new Date(START + 60 * SECOND).toISOString());
      unwrap(until(0));
      expect(code(await admit({ caller: { keyHash: "second" } }))).toBe("key_expired");
      expect(code(await admit({ caller: { keyHash: "third" } }))).toBe("admitted");
    }));
});

describe("keys of a user", () => {
  it("are all revoked at once, and no others", () =>
    withLedger("free", async (bench) => {
      unwrap(make(bench, "key_2"));
      unwrap(make(bench, "key_3", { user: "usr_2" }));
      const { keys } = bench.ledger;
      expect([keys.revokeOf(KEY.user, START), keys.revokeOf(KEY.user, START)]).toEqual([2, 0]);
      const awake = await bench.restart();
      expect(code(await awake.admit())).toBe("key_revoked");
      expect(code(await awake.admit(using("key_2")))).toBe("key_revoked");
      expect(code(await awake.admit(using("key_3")))).toBe("admitted");
    }));
});
