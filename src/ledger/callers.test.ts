import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Bench, KEY, SECOND, START, withLedger } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import type { AdmitReply, VerifiedCaller } from "./types.ts";

const verified = (over: Partial<VerifiedCaller> = {}) => ({
  caller: { verified: { id: "jwt_1", user: "usr_2", scopes: ["usage"], ...over } },
});
const code = (reply: AdmitReply) => (reply.kind === "refused" ? reply.code : reply.kind);
const stated = (id: string, asOf: number) => verified({ plan: { id, asOf } });
const planOf = ({ ledger }: Bench) => {
  const reply = ledger.identify({ keyHash: KEY.hash });
  return reply.kind === "identified" ? reply.identity.plan : reply.code;
};

describe("a blocked user", () => {
  it("is nobody here with any credential, over restarts, until they are let in again", () =>
    withLedger("free", async (first) => {
      unwrap(first.ledger.blockUser("usr_2"));
      unwrap(first.ledger.blockUser("usr_2"));
      expect(code(await first.admit())).toBe("admitted");
      unwrap(first.ledger.blockUser(KEY.user));
      const bench = await first.restart();
      for (const who of [{}, verified(), stated("pro", START)]) {
        expect(code(await bench.admit({ callId: crypto.randomUUID(), ...who }))).toBe("unauthenticated");
      }
      expect(bench.ledger.identify({ keyHash: KEY.hash })).toMatchObject({ code: "unauthenticated" });
      expect(bench.ledger.identify(verified().caller)).toMatchObject({ code: "unauthenticated" });
      unwrap(bench.ledger.unblockUser(KEY.user));
      const again = await bench.restart();
      expect(planOf(again)).toBe("free");
      expect(code(await again.admit(verified()))).toBe("unauthenticated");
    }));
});

describe("a plan as an issuer states it", () => {
  it("counts when it is the newest statement, from that call on, over restarts", () =>
    withLedger("free", async (first) => {
      const reply = await first.admit(stated("pro", START - 10 * SECOND));
      expect(reply).toMatchObject({ kind: "admitted", identity: { plan: "pro" }, windows: [{ limit: 60 }, {}, {}] });
      expect(await first.admit(stated("basic", START - 20 * SECOND))).toMatchObject({ identity: { plan: "pro" } });
      const bench = await first.restart();
      await bench.admit({ ...stated("basic", START - 11 * SECOND), callId: "late" });
      expect(planOf(bench)).toBe("pro");
      await bench.admit({ ...stated("basic", START - 5 * SECOND), callId: "newer" });
      expect(planOf(bench)).toBe("basic");
    }));

  it("changes nothing when it is not known here, and a clock ahead shuts out nothing said later", () =>
    withLedger("free", async (bench) => {
      expect(await bench.admit(stated("platinum", START))).toMatchObject({ identity: { plan: "free" } });
      await bench.admit(stated("pro", START + 3_600 * SECOND));
      bench.clock.now += SECOND;
      await bench.admit(stated("basic", START + SECOND));
      expect(planOf(bench)).toBe("basic");
    }));

  it("yields to the operator's word, until something newer is said", () =>
    withLedger("free", async (bench) => {
      const { ledger } = bench;
      expect(unwrap(ledger.setPlan("enterprise"))).toEqual({ plan: "enterprise" });
      await bench.admit(stated("basic", START - SECOND));
      expect(unwrap(ledger.setPlan("basic", START - SECOND))).toEqual({ plan: "enterprise" });
      expect(ledger.setPlan("platinum", START + SECOND)).toMatchObject({ ok: false, code: "invalid_input" });
      bench.clock.now += 10 * SECOND;
      expect(unwrap(ledger.setPlan("basic", START + SECOND))).toEqual({ plan: "basic" });
    }));

  it("reaches the directory with the next copy of the books", () =>
    withLedger("free", async (bench) => {
      const insert = "INSERT INTO accounts (id, name, plan, created_at) VALUES (?, 'x', 'free', '')";
      await env.DB.prepare(insert).bind(bench.account).run();
      await bench.admit(stated("pro", START));
      await bench.ledger.audit();
      bench.clock.now += 60 * SECOND;
      await bench.ledger.onAlarm(env.DB);
      const row = await env.DB.prepare("SELECT plan FROM accounts WHERE id = ?").bind(bench.account).first();
      expect(row).toEqual({ plan: "pro" });
    }));
});

it("a call that needs no scope takes any good credential, and no other", () =>
  withLedger("free", async (bench) => {
    expect(code(await bench.admit({ ...verified({ scopes: [] }), scope: null }))).toBe("admitted");
    expect(code(await bench.admit({ caller: { keyHash: "hash-9" }, scope: null }))).toBe("unauthenticated");
  }));
