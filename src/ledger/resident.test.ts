import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import {
  type Bench,
  endOf,
  HOLD,
  holdsOnDisk,
  KEY,
  openedLedger,
  pricedRequestTo,
  requestTo,
  SECOND,
  START,
  withLedger,
} from "../../test/ledger_bench.ts";
import { priceOf } from "../../test/simulator/plan.ts";
import { unwrap } from "../errors.ts";
import { HOLD_JOURNAL_MS } from "./ledger_parts.ts";
import { Resident, residentLedger } from "./resident.ts";
import type { AdmitRequest, ReserveRequest } from "./types.ts";

/** What must not happen elsewhere: the storage is used, or a timer set. */
function forbidden(storage: DurableObjectStorage) {
  const spies = [
    vi.spyOn(storage.sql, "exec"),
    vi.spyOn(storage, "setAlarm"),
    vi.spyOn(storage, "transactionSync"),
    vi.spyOn(globalThis, "setTimeout"),
  ];
  return {
    used: () => spies.reduce((n, spy) => n + spy.mock.calls.length, 0),
    lift: () => {
      for (const spy of spies) spy.mockRestore();
    },
  };
}

const settledInLog = ({ sql }: DurableObjectStorage): unknown[] =>
  sql
    .exec(
      "SELECT value ->> 'callId' AS id FROM redo NATURAL JOIN redo_epoch, json_each(body, '$.entries') WHERE value ->> 'kind' = 'settle'",
    )
    .toArray()
    .map(({ id }) => id);

const made: Resident[] = [];
function near(account: string, { ledger, clock }: Bench): Resident {
  const here = new Resident(account, ledger, () => clock.now);
  made.push(here);
  return here;
}
const resident = (bench: Bench): Resident => near(bench.account, bench);

// Those of a file before, in the same Worker, live for a second by a clock that is not these tests'.
beforeAll(() => new Promise<void>((resolve) => setTimeout(resolve, 1_001)));
afterEach(() => {
  for (const here of made.splice(0)) here.leave();
});

describe("a ledger asked from elsewhere in its isolate", () => {
  it("is known there once its object has run a request, and for a second after", () =>
    withLedger("pro", async (bench) => {
      const { account, clock } = bench;
      const here = resident(bench);
      expect(residentLedger(account)).toBeUndefined();
      here.present();
      expect(residentLedger(account)).toBe(here);
      clock.now += 999;
      expect(here.admit(requestTo(account))).toMatchObject({ kind: "admitted" });
      clock.now += 1;
      expect(here.admit(requestTo(account))).toBeUndefined();
      here.present();
      expect(here.admit(requestTo(account))).toMatchObject({ kind: "admitted" });
      clock.now -= 1;
      expect(here.admit(requestTo(account))).toBeUndefined();
    }));

  it("decides as the object does, and touches neither storage nor alarm nor timers", () =>
    withLedger("pro", async (bench, storage) => {
      const { account, ledger, admit } = bench;
      const here = resident(bench);
      await admit({ reads: { recent: 1, quota: true } });
      here.present();
      const guard = forbidden(storage);
      const reply = here.admit(requestTo(account, { reads: { recent: 1, quota: true } }));
      const held = pricedRequestTo(account);
      expect(here.admit(held)).toMatchObject({ kind: "admitted", grantedOutputTokens: 100 });
      expect(here.admit(requestTo(account, { scope: "admin" }))).toMatchObject({ code: "insufficient_scope" });
      expect(here.admit(requestTo(account, { caller: { keyHash: "other" } }))).toMatchObject({
        code: "unauthenticated",
      });
      expect(guard.used()).toBe(0);
      guard.lift();
      const asked = await admit({ reads: { recent: 1, quota: true } });
      expect(Object.keys(reply ?? {})).toEqual(Object.keys(asked));
      expect(reply).toMatchObject({ usage: { total: { calls: 2 } }, quota: { plan: "pro" } });
      here.present();
      expect(unwrap(await ledger.audit())).toMatchObject({ consistent: true });
    }));

  it("leaves the disk's part to the object: within half of what it may take it is asked to see to it", () =>
    withLedger("pro", async (bench, storage) => {
      const { account, ledger, clock } = bench;
      await ledger.audit();
      const here = resident(bench);
      here.present();
      expect([here.isUntended, here.tendIn()]).toEqual([false, undefined]);
      here.admit(requestTo(account));
      expect([here.isUntended, here.tendIn(), here.tendIn()]).toEqual([true, 500, undefined]);
      const held = pricedRequestTo(account);
      here.admit(held);
      expect([here.tendIn(), here.tendIn()]).toEqual([HOLD_JOURNAL_MS / 2, undefined]);
      // Whoever was to tend it was cut off.
      clock.now += 10 + 201;
      expect(here.tendIn()).toBe(0);
      const holds = () => holdsOnDisk(storage);
      expect(holds()).toEqual([]);
      const alarm = vi.spyOn(storage, "setAlarm");
      here.present();
      // When the hold would expire.
      expect(alarm).toHaveBeenCalledWith(START + 180 * SECOND);
      alarm.mockRestore();
      expect([here.isUntended, here.tendIn()]).toEqual([false, undefined]);
      clock.now += HOLD_JOURNAL_MS;
      await vi.waitFor(() => expect(holds()).toEqual([held.callId]));
    }));

  it("asks the object for nothing that a timer of its own sees to in time", () =>
    withLedger("pro", async (bench, storage) => {
      const { account, admit, clock } = bench;
      const here = resident(bench);
      here.present();
      await admit();
      clock.now += 5;
      here.admit(requestTo(account));
      expect([here.isUntended, here.tendIn()]).toEqual([false, undefined]);
      here.admit(pricedRequestTo(account));
      expect([here.isUntended, here.tendIn(0)]).toEqual([true, 0]);
      here.present();
      here.admit(pricedRequestTo(account));
      expect(here.isUntended).toBe(false);
      const holds = () => holdsOnDisk(storage);
      await vi.waitFor(() => expect(holds()).toHaveLength(2));
    }));

  it("holds for a call that knew only later what it costs", () =>
    withLedger("pro", async (bench, storage) => {
      const { account, ledger, settle } = bench;
      const here = resident(bench);
      here.present();
      const late = requestTo(account, { tool: "chat", scope: "chat", metered: true });
      here.admit(late);
      const guard = forbidden(storage);
      const { callId, tool, via } = late;
      const reserve: ReserveRequest = { account, callId, tool, via, keyId: KEY.id, hold: HOLD };
      expect(here.reserve(reserve)).toEqual({ ok: true, value: { grantedOutputTokens: 100 } });
      expect(here.reserve(reserve)).toMatchObject({ ok: false, code: "conflict" });
      expect(guard.used()).toBe(0);
      guard.lift();
      const settled = unwrap(await settle(callId, { hold: HOLD, usage: { input: 100, output: 10 } }));
      expect(settled.costNano).toBeGreaterThan(0);
      expect(unwrap(await ledger.audit())).toMatchObject({ consistent: true });
    }));

  it("ends a call that held money, and its object writes it", () =>
    withLedger("pro", async (bench, storage) => {
      const { account, ledger } = bench;
      const here = resident(bench);
      here.present();
      const held = pricedRequestTo(account);
      here.admit(held);
      const end = endOf(held, { input: 100, output: 10 });
      const guard = forbidden(storage);
      const settled = here.settle(end);
      expect(settled).toMatchObject({ costNano: priceOf(HOLD, 100, 10), funding: "included" });
      // It has ended: whoever tells of it again tells the object.
      expect(here.settle(end)).toBeUndefined();
      expect(guard.used()).toBe(0);
      guard.lift();
      expect([await here.keep("another life"), settledInLog(storage)]).toEqual([false, []]);
      expect([await here.keep(here.life), settledInLog(storage)]).toEqual([true, [held.callId]]);
      expect(unwrap(await ledger.settle(end))).toEqual(settled);
      expect(unwrap(await ledger.audit())).toMatchObject({ consistent: true });
    }));

  it("writes what calls that end together cost at once", () =>
    withLedger("pro", async (bench, storage) => {
      const here = resident(bench);
      here.present();
      const held = Array.from({ length: 12 }, () => pricedRequestTo(bench.account));
      for (const request of held) expect(here.admit(request)).toMatchObject({ kind: "admitted" });
      const rows = vi.spyOn(storage.sql, "exec");
      const kept = held.slice(0, 8).map((request) => {
        expect(here.settle(endOf(request, { input: 10, output: 1 }))?.costNano).toBeGreaterThan(0);
        return here.keep(here.life);
      });
      expect(await Promise.all(kept)).toEqual(Array(8).fill(true));
      expect(rows.mock.calls.filter(([query]) => /INTO redo /.test(String(query)))).toHaveLength(1);
    }));

  it("leaves to the object the end of a call that it knows nothing of, or that takes more than memory", () =>
    withLedger("pro", async (bench) => {
      const { account, clock, admit } = bench;
      const here = resident(bench);
      here.present();
      const usage = { input: 10, output: 1 };
      expect(here.settle(endOf(pricedRequestTo(account), usage))).toBeUndefined();
      const free = requestTo(account);
      here.admit(free);
      const { hold: _, ...failed } = endOf(free, usage);
      expect(here.settle({ ...failed, metered: false, items: [], error: "internal" })).toBeUndefined();
      const idempotency = { key: "once", inputHash: "hash" };
      const once = { ...pricedRequestTo(account), idempotency };
      await admit(once);
      expect(here.settle({ ...endOf(once, usage), idempotency, result: "{}" })).toBeUndefined();
      const late = pricedRequestTo(account);
      here.admit(late);
      clock.now = Date.UTC(2026, 6, 1) - 1;
      here.present();
      clock.now += 1;
      expect(here.settle(endOf(late, usage))).toBeUndefined();
    }));

  it("hands on what takes more than memory, and has changed nothing then", () =>
    withLedger("pro", async (bench) => {
      const { account, clock, admit } = bench;
      await admit({ reads: { recent: 0 } });
      const here = resident(bench);
      here.present();
      const verified = { id: "grant_1", user: "usr_1", scopes: ["usage"], plan: { id: "free", asOf: START } };
      const handedOn: Partial<AdmitRequest>[] = [
        { idempotency: { key: "once", inputHash: "hash" } },
        { caller: { verified } },
        { reads: { recent: 1, month: "2026-05" } },
        { reads: { callId: "call_1" } },
        { reads: { groups: { from: "2026-06-01", to: "2026-06-15", by: ["tool"], limit: 5 } } },
      ];
      for (const over of handedOn) expect(here.admit(requestTo(account, over))).toBeUndefined();
      expect(here.isUntended).toBe(false);
      const heard = await admit({ caller: { verified } });
      expect(heard).toMatchObject({ identity: { plan: "free" } });
      expect(here.admit(requestTo(account, { caller: { verified } }))).toMatchObject({ identity: { plan: "free" } });
      clock.now = Date.UTC(2026, 6, 1) - 1;
      here.present();
      clock.now += 1;
      expect(here.admit(requestTo(account))).toBeUndefined();
      here.present();
      const july = here.admit(requestTo(account, { reads: { recent: 0 } }));
      expect(july).toMatchObject({ usage: { month: "2026-07", total: { calls: 1 } } });
    }));

  it("hears of a notice that is not read yet from the object", () =>
    withLedger("pro", async (bench) => {
      const here = resident(bench);
      here.present();
      const reads = { recent: 1 };
      expect(here.admit(requestTo(bench.account, { reads }))).toBeUndefined();
      await bench.admit({ reads });
      expect(here.admit(requestTo(bench.account, { reads }))).toMatchObject({ usage: { notices: [] } });
    }));

  it("counts what both ways admit in one window", () =>
    withLedger("free", async (bench) => {
      const { account, admit, clock } = bench;
      const here = resident(bench);
      here.present();
      const kinds: string[] = [];
      for (let i = 0; i < 12; i++) {
        clock.now += 10;
        const reply = i % 2 === 0 ? here.admit(requestTo(account)) : await admit();
        kinds.push(reply?.kind ?? "");
      }
      expect(kinds.filter((kind) => kind === "admitted")).toHaveLength(10);
      expect(kinds.slice(10)).toEqual(["refused", "refused"]);
      clock.now = START + 10 + 60 * SECOND;
      here.present();
      expect(here.admit(requestTo(account))).toMatchObject({ kind: "admitted" });
    }));

  it("tells a report as it was: what is counted later does not show in it", () =>
    withLedger("pro", async (bench) => {
      await bench.admit({ reads: { recent: 5 } });
      const here = resident(bench);
      here.present();
      const before = here.admit(requestTo(bench.account, { reads: { recent: 5 } }));
      const copy = structuredClone(before);
      for (let i = 0; i < 5; i++) here.admit(requestTo(bench.account));
      expect(before).toEqual(copy);
    }));

  it("is let go of when nobody asked for a second, so that the memory of what has gone is not kept", () =>
    withLedger("pro", async (bench) => {
      const { account, clock } = bench;
      const [first, second] = [near(account, bench), near(`${account}-2`, bench)];
      first.present();
      clock.now += 999;
      second.present();
      expect(residentLedger(account)).toBe(first);
      clock.now++;
      second.present();
      expect(residentLedger(account)).toBeUndefined();
      expect(residentLedger(`${account}-2`)).toBe(second);
    }));

  it("is forgotten when its object ends or wakes anew, and then what the new one knows counts", () =>
    withLedger("free", async (bench) => {
      const { account, ledger } = bench;
      const first = resident(bench);
      first.present();
      for (let i = 0; i < 3; i++) first.admit(requestTo(account));
      first.present();
      const again = await bench.restart();
      const second = resident(again);
      expect([residentLedger(account), first.admit(requestTo(account))]).toEqual([undefined, undefined]);
      second.present();
      again.ledger.keys.revoke(KEY.id, again.clock.now);
      expect(second.admit(requestTo(account))).toMatchObject({ code: "key_revoked" });
      expect(unwrap(await ledger.audit()).consistent).toBe(true);
      second.leave();
      expect([residentLedger(account), second.admit(requestTo(account))]).toEqual([undefined, undefined]);
      // One that ended long ago takes nobody else's place away.
      second.present();
      first.leave();
      expect(residentLedger(account)).toBe(second);
      second.leave();
    }));
});

describe("the object", () => {
  it("is asked the short way by calls of its isolate, and what they did is on disk in time", async () => {
    const account = "resident-of-the-isolate";
    const object = await openedLedger(account, "pro");
    expect(JSON.parse(await object.admit(JSON.stringify(requestTo(account))))).toMatchObject({ kind: "admitted" });
    const here = residentLedger(account);
    const held = pricedRequestTo(account);
    expect(here?.admit(held)).toMatchObject({ kind: "admitted" });
    expect(here?.isUntended).toBe(true);
    await object.tend();
    expect(here?.isUntended).toBe(false);
    await vi.waitFor(() =>
      runInDurableObject(object, (_, { storage }) => {
        expect(holdsOnDisk(storage)).toEqual([held.callId]);
      }),
    );
  });
});
