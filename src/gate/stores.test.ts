import { env } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openedLedger, pricedRequestTo, requestTo } from "../../test/ledger_bench.ts";
import { residentLedger } from "../ledger/resident.ts";
import { admitNear, admitTo, type Background } from "./stores.ts";

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
