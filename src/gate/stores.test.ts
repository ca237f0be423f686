import { env } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { HOLD, KEY } from "../../test/ledger_bench.ts";
import { unwrap } from "../errors.ts";
import { residentLedger } from "../ledger/resident.ts";
import type { AdmitRequest } from "../ledger/types.ts";
import { admitNear, admitTo, type Background } from "./stores.ts";

afterEach(() => vi.restoreAllMocks());

let calls = 0;

/** An account whose ledger is awake in this isolate, and calls to it that hold money. */
async function awake(account: string) {
  const stub = env.LEDGER.get(env.LEDGER.idFromName(account));
  unwrap(await stub.open(account, "pro"));
  unwrap(await stub.createKey(KEY));
  const request = (): AdmitRequest => ({
    account,
    callId: `call_near_${++calls}`,
    tool: "chat",
    via: "mcp",
    caller: { keyHash: KEY.hash },
    scope: "chat",
    metered: true,
    hold: HOLD,
  });
  const { hold: _, ...free } = request();
  expect(await admitTo(env, { ...free, tool: "usage", scope: "usage", metered: false })).toMatchObject({
    kind: "admitted",
  });
  return request;
}

/** Where a call is run, and what it leaves behind there. */
function background(more: object = {}) {
  const work: Promise<unknown>[] = [];
  const waitUntil = (promise: Promise<unknown>) => void work.push(promise);
  return { ctx: { ...more, waitUntil } as unknown as Background, work };
}

describe("a ledger that is awake in the isolate", () => {
  it("is asked beside a request, after a while, to see to what it decided", async () => {
    const request = await awake("near-a-request");
    const { ctx, work } = background();
    const timers = vi.spyOn(globalThis, "setTimeout");
    for (let i = 0; i < 5; i++) expect(admitNear(env, ctx, request())).toMatchObject({ kind: "admitted" });
    expect([timers.mock.calls.length, work.length]).toEqual([1, 1]);
    await Promise.all(work);
    expect(residentLedger("near-a-request")?.isUntended).toBe(false);
  });

  it("is asked by an object at once and without a timer, as those of an object wait for one another", async () => {
    const request = await awake("near-an-object");
    const { ctx, work } = background({ storage: {} });
    const timers = vi.spyOn(globalThis, "setTimeout");
    for (let i = 0; i < 5; i++) expect(admitNear(env, ctx, request())).toMatchObject({ kind: "admitted" });
    expect([timers.mock.calls.length, work.length]).toEqual([0, 1]);
    timers.mockRestore();
    await Promise.all(work);
    expect(residentLedger("near-an-object")?.isUntended).toBe(false);
  });
});
