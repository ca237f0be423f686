import { env, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { endOf, HOLD, openedLedger, pricedRequestTo, requestTo } from "../../test/ledger_bench.ts";
import { priceOf } from "../../test/simulator/plan.ts";
import { unwrap } from "../errors.ts";
import { residentLedger } from "../ledger/resident.ts";
import { admitNear, admitTo, type Background, settleWith } from "./stores.ts";

afterEach(() => vi.restoreAllMocks());

/** An account whose ledger is awake in this isolate. */
async function awake(account: string): Promise<string> {
  await openedLedger(account, "pro");
  expect(await admitTo(env, requestTo(account))).toMatchObject({ kind: "admitted" });
  return account;
}

/** Where a call is run, and what it leaves behind there. */
function background(more: object = {}) {
  const work: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => void work.push(promise);
  return { ctx: { ...more, waitUntil } as unknown as Background, work };
}

describe("a ledger that is awake in the isolate", () => {
  it("is asked beside a request, after a while, to see to what it decided", async () => {
    const account = await awake("near-a-request");
    const { ctx, work } = background();
    const timers = vi.spyOn(globalThis, "setTimeout");
    for (let i = 0; i < 5; i++)
      expect(admitNear(env, ctx, pricedRequestTo(account))).toMatchObject({ kind: "admitted" });
    expect([timers.mock.calls.length, work.length]).toEqual([1, 1]);
    await Promise.all(work);
    expect(residentLedger(account)?.isUntended).toBe(false);
  });

  it("is asked by an object at once and without a timer, as those of an object wait for one another", async () => {
    const account = await awake("near-an-object");
    const { ctx, work } = background({ storage: {} });
    const timers = vi.spyOn(globalThis, "setTimeout");
    for (let i = 0; i < 5; i++)
      expect(admitNear(env, ctx, pricedRequestTo(account))).toMatchObject({ kind: "admitted" });
    expect([timers.mock.calls.length, work.length]).toEqual([0, 1]);
    timers.mockRestore();
    await Promise.all(work);
    expect(residentLedger(account)?.isUntended).toBe(false);
  });
});

describe("a call that held money", () => {
  const USED = { input: 100, output: 10 };
  const COST = priceOf(HOLD, 100, 10);

  it("ends in the isolate, and costs once", async () => {
    const account = await awake("ends-near");
    const held = pricedRequestTo(account);
    admitNear(env, background().ctx, held);
    const settle = vi.spyOn(residentLedger(account) as never, "settle");
    const first = unwrap(await settleWith(env, endOf(held, USED)));
    expect(first).toMatchObject({ costNano: COST });
    expect(settle).toHaveReturnedWith(first);
    expect(unwrap(await settleWith(env, endOf(held, USED)))).toEqual(first);
    const ledger = await openedLedger(account, "pro");
    expect(unwrap(await ledger.audit())).toMatchObject({ consistent: true, settled_cost_nano: COST });
  });

  it("is charged by the object's next life when the one that decided has ended before it wrote", async () => {
    const account = await awake("ends-in-vain");
    const held = pricedRequestTo(account);
    admitNear(env, background().ctx, held);
    const zombie = residentLedger(account);
    const object = env.LEDGER.get(env.LEDGER.idFromName(account));
    await runInDurableObject(object, (_, state) => state.abort("put away")).catch(() => {});
    // Nobody here knows yet that its object has ended.
    expect(residentLedger(account)).toBe(zombie);
    const settle = vi.spyOn(zombie as never, "settle");
    expect(unwrap(await settleWith(env, endOf(held, USED)))).toMatchObject({ costNano: COST });
    expect(settle).toHaveReturnedWith(expect.objectContaining({ costNano: COST }));
    expect(residentLedger(account)).not.toBe(zombie);
    const ledger = await openedLedger(account, "pro");
    expect(unwrap(await ledger.audit())).toMatchObject({ consistent: true, settled_cost_nano: COST });
  });
});
