import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import { KEY, openedLedger, requestTo } from "../../test/ledger_bench.ts";
import type { Tool } from "../tools/define.ts";
import { places } from "../tools/places.ts";
import { type CallOutcome, runCall } from "./gate.ts";
import { admitTo, type Background } from "./stores.ts";

/** All that is ready has run; nothing that waits for a store, a timer or the network has. */
async function restOfTurn(): Promise<void> {
  for (let i = 0; i < 200; i++) await Promise.resolve();
}

async function called(account: string, tool: Tool, input: object) {
  // So that it is near.
  expect(await admitTo(env, requestTo(account, { reads: { recent: 0 } }))).toMatchObject({ kind: "admitted" });
  const kept: Promise<unknown>[] = [];
  const ctx = { waitUntil: (work: Promise<unknown>) => void kept.push(work) } as unknown as Background;
  const credential = { account, caller: { keyHash: KEY.hash } };
  const ended: CallOutcome[] = [];
  const work = runCall(env, ctx, { tool, input, credential, via: "rest", requestId: "req_1" });
  work.then((outcome) => ended.push(outcome));
  await restOfTurn();
  return { inTurn: [...ended], kept, outcome: await work };
}

const toolsAtOnce = async () => (await Promise.all(places.map(({ load }) => load()))).filter(({ atOnce }) => atOnce);

it("tools that answer at once are over before the turn is in which they were asked, where the ledger is near", async () => {
  await openedLedger("at-once", "pro");
  const tools = await toolsAtOnce();
  expect(tools.map(({ name }) => name).sort()).toEqual(["quota", "usage"]);
  for (const tool of tools) {
    const { inTurn, outcome } = await called("at-once", tool, {});
    expect(inTurn).toEqual([outcome]);
    expect(outcome).toMatchObject({ ok: true });
  }
});

it("one that asks for more than memory tells, or fails, is kept going when its client has left", async () => {
  await openedLedger("not-at-once", "pro");
  for (const tool of await toolsAtOnce()) {
    const broken: Tool = { ...tool, run: () => Promise.reject(new Error("broken")) };
    const failed = await called("not-at-once", broken, {});
    expect(failed).toMatchObject({ inTurn: [], outcome: { ok: false, error: { code: "internal" } } });
    expect(failed.kept).toContainEqual(expect.any(Promise));
    expect(await Promise.all(failed.kept)).toContainEqual(failed.outcome);
  }
  const [usage] = (await toolsAtOnce()).filter(({ name }) => name === "usage");
  const past = await called("not-at-once", usage as Tool, { month: "2020-01" });
  expect(past).toMatchObject({ inTurn: [], outcome: { ok: true } });
  expect(await Promise.all(past.kept)).toContainEqual(past.outcome);
});
