import { createExecutionContext, env } from "cloudflare:test";
import { expect, it } from "vitest";
import * as z from "zod";
import type { Env } from "../../src/env.ts";
import { type CallOutcome, runCall } from "../../src/gate/gate.ts";
import { costNano } from "../../src/ledger/money.ts";
import type { HoldRequest } from "../../src/ledger/types.ts";
import { type Call, defineTool, type Tool } from "../../src/tools/define.ts";
import { account, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

const CHEAP = { model: "p/cheap", provider: "p", price: { input: 1_000_000, output: 2_000_000 }, markupBps: 10_300 };
const DEAR = { model: "q/dear", provider: "q", price: { input: 5_000_000, output: 9_000_001 }, markupBps: 10_000 };
const HOLD: HoldRequest = {
  ...CHEAP,
  alternatives: [{ ...DEAR, planMarkups: { enterprise: 10_100 } }],
  inputTokens: 100,
  maxOutputTokens: 100,
  minOutputTokens: 1,
};
const A = { input: 90, output: 3 };
const B = { input: 95, output: 21 };
/** Summed and rounded once: the two apart, each rounded up, would come to more. */
const SUM = Number(
  ((90n * 1_000_000n + 3n * 2_000_000n) * 10_300n + (95n * 5_000_000n + 21n * 9_000_001n) * 10_100n + 9_999_999n) /
    10_000_000n,
);

/** Runs a tool of the test's own through the gate, as a door does. */
async function through(key: { account: string }, run: (call: Call) => Promise<{ cost: number }>): Promise<CallOutcome> {
  const tool = defineTool({
    name: "chat",
    title: "",
    description: "",
    scope: "chat",
    annotations: { readOnlyHint: false, openWorldHint: true },
    input: z.strictObject({}),
    output: z.object({ cost: z.number() }),
    rest: { method: "post", path: "/chat" },
    metered: true,
    quote: () => HOLD,
    run,
    text: () => "",
  });
  return runCall(env as unknown as Env, createExecutionContext(), {
    tool: tool as unknown as Tool,
    input: {},
    credential: {
      account: key.account,
      caller: { verified: { id: "grant_items", user: "usr_items", scopes: ["chat"] } },
    },
    via: "rest",
    requestId: crypto.randomUUID(),
  });
}

const told = async (key: string, id: string) => (await rest(key, "GET", `/v1/usage/calls/${id}`)).body;

it("a call that used two models is billed as one, with what it will cost told as it goes", async () => {
  const mine = await account();
  const first = costNano(A, CHEAP.price, CHEAP.markupBps);
  const outcome = await through(mine, async (call) => {
    call.tried(CHEAP.model, "provider_busy");
    expect(call.charge(A, { model: CHEAP.model, estimated: true })).toBe(first);
    return { cost: call.charge(B, { model: DEAR.model }) };
  });
  expect(outcome).toMatchObject({ ok: true, output: { cost: SUM }, costNano: SUM, settlement: { costNano: SUM } });
  const call = await told(mine.key, outcome.callId);
  expect(call).toMatchObject({
    status: "ok",
    model: DEAR.model,
    cost_nano: SUM,
    plan_tokens: 90 + 3 + 95 + 21,
    tries: [
      { model: CHEAP.model, outcome: "provider_busy", cost_nano: 0 },
      { model: CHEAP.model, outcome: "ok", estimated: true, cost_nano: first, markup: "1.03" },
      { model: DEAR.model, outcome: "ok", estimated: false, cost_nano: SUM - first, markup: "1.01" },
    ],
  });
  expect(call.items.reduce((sum: number, item: { cost_nano: number }) => sum + item.cost_nano, 0)).toBe(SUM);
  const { by_model, by_tool } = (await rest(mine.key, "GET", "/v1/usage")).body;
  expect(by_model[CHEAP.model]).toMatchObject({ calls: 0, cost_nano: first });
  expect(by_model[DEAR.model]).toMatchObject({ calls: 1, cost_nano: SUM - first });
  expect(by_tool.chat).toMatchObject({ calls: 1, cost_nano: SUM });
});

it("a call that failed in the end costs nothing, and says what was tried", async () => {
  const mine = await account();
  const outcome = await through(mine, async (call) => {
    call.charge(A, { model: CHEAP.model });
    call.tried(DEAR.model, "provider_failed");
    throw new Error("the tool broke");
  });
  expect(outcome).toMatchObject({ ok: false, costNano: 0 });
  expect(await told(mine.key, outcome.callId)).toMatchObject({
    status: "internal",
    cost_nano: 0,
    items: [],
    tries: [
      { model: CHEAP.model, outcome: "ok", cost_nano: 0 },
      { model: DEAR.model, outcome: "provider_failed", cost_nano: 0 },
    ],
  });
});

it("a failure that is billed bills every try", async () => {
  const mine = await account();
  const outcome = await through(mine, async (call) => {
    call.charge(A, { model: CHEAP.model });
    call.charge(B, { model: DEAR.model });
    return call.failBilled("unavailable", "The answer could not be stored.");
  });
  expect(outcome).toMatchObject({ ok: false, costNano: SUM, error: { extras: { charged_nano_usd: SUM } } });
  expect(await told(mine.key, outcome.callId)).toMatchObject({ status: "unavailable", cost_nano: SUM });
});

it("a model that the hold does not name cannot be charged", async () => {
  const mine = await account();
  const outcome = await through(mine, async (call) => ({ cost: call.charge(A, { model: "p/other" }) }));
  expect(outcome).toMatchObject({ ok: false, costNano: 0, error: { code: "internal" } });
});
