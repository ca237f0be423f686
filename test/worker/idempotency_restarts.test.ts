import { abortAllDurableObjects, createExecutionContext, env } from "cloudflare:test";
import { expect, it } from "vitest";
import * as z from "zod";
import type { Env } from "../../src/env.ts";
import { type CallOutcome, runCall } from "../../src/gate/gate.ts";
import { costNano } from "../../src/ledger/money.ts";
import type { HoldRequest } from "../../src/ledger/types.ts";
import { defineTool, type Tool } from "../../src/tools/define.ts";
import { account, owner, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();

const HOLD: HoldRequest = {
  model: "p/m",
  provider: "p",
  price: { input: 1_000_000, output: 2_000_000 },
  markupBps: 10_300,
  inputTokens: 100,
  maxOutputTokens: 100,
  minOutputTokens: 1,
};
const USAGE = { input: 90, output: 10 };
const COST = costNano(USAGE, HOLD.price, HOLD.markupBps);

let runs = 0;
/** Ends when it is let; every run gives an answer of its own. */
const slow = (until: () => Promise<void>) =>
  defineTool({
    name: "chat",
    title: "",
    description: "",
    scope: "chat",
    annotations: { readOnlyHint: false, openWorldHint: true },
    input: z.strictObject({ say: z.string() }),
    output: z.object({ run: z.number(), call_id: z.string().optional() }),
    rest: { method: "post", path: "/chat" },
    metered: true,
    quote: () => HOLD,
    run: async (call) => {
      const run = ++runs;
      await until();
      call.charge(USAGE, { model: HOLD.model });
      return { run };
    },
    settled: (output, _, call_id) => ({ ...output, call_id }),
    text: () => "",
  }) as unknown as Tool;

const ask = (id: string, tool: Tool, say = "hello"): Promise<CallOutcome> =>
  runCall(env as unknown as Env, createExecutionContext(), {
    tool,
    input: { say },
    credential: { account: id, caller: { verified: { id: "grant_r", user: "usr_r", scopes: ["chat"] } } },
    via: "rest",
    requestId: crypto.randomUUID(),
    idempotencyKey: "same",
  });

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** As a client that does not give up: what was not answered is sent again. */
async function untilAnswered(id: string, tool: Tool): Promise<CallOutcome> {
  for (;;) {
    const outcome = await ask(id, tool);
    if (outcome.ok || outcome.error.code !== "unavailable") return outcome;
    await pause(5);
  }
}

const books = async (id: string) => (await rest(await owner(), "GET", `/v1/admin/accounts/${id}`)).body.books;
const answerOf = (outcome: CallOutcome) => (outcome.ok ? outcome.output : outcome.error.code);

it("a restart between two calls with one key: both get one answer, and one is charged", async () => {
  const { account: id, key } = await account();
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = ask(
    id,
    slow(() => gate),
  );
  await pause(60);
  await abortAllDurableObjects();
  const second = await ask(
    id,
    slow(async () => {}),
  );
  open();
  const told = await first;
  expect(answerOf(told)).toEqual(answerOf(second));
  expect([told, second]).toMatchObject([
    { ok: true, replayed: true, callId: second.callId, costNano: COST, settlement: { costNano: COST } },
    { ok: true, replayed: false, output: { call_id: second.callId } },
  ]);
  expect(await books(id)).toMatchObject({ settled_cost_nano: COST, open_holds: 0, consistent: true });
  const { by_tool } = (await rest(key, "GET", "/v1/usage")).body;
  expect(by_tool.chat).toMatchObject({ calls: 2, errors: 0, cost_nano: COST });
});

it("and with another input: the second to end is told of the conflict, and costs nothing", async () => {
  const { account: id } = await account();
  let open = () => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const first = ask(
    id,
    slow(() => gate),
    "something else",
  );
  await pause(60);
  await abortAllDurableObjects();
  expect(
    await ask(
      id,
      slow(async () => {}),
    ),
  ).toMatchObject({ ok: true, costNano: COST });
  open();
  expect(await first).toMatchObject({ ok: false, costNano: 0, error: { code: "idempotency_conflict" } });
  expect(await books(id)).toMatchObject({ settled_cost_nano: COST, open_holds: 0, consistent: true });
});

it("100 calls at once with one key, and restarts among them: one charge, one answer", { timeout: 60_000 }, async () => {
  const { account: id } = await account();
  const before = runs;
  const tool = slow(() => pause(150 + Math.random() * 100));
  const calls = Array.from({ length: 100 }, async () => {
    await pause(Math.random() * 150);
    return untilAnswered(id, tool);
  });
  for (let i = 0; i < 4; i++) {
    await pause(40);
    await abortAllDurableObjects();
  }
  const told = await Promise.all(calls);
  expect(new Set(told.map((outcome) => JSON.stringify(answerOf(outcome)))).size).toBe(1);
  expect(told.every(({ ok }) => ok)).toBe(true);
  expect(told.filter((outcome) => outcome.ok && !outcome.replayed).length).toBeLessThanOrEqual(1);
  // More than one ran, or this has shown nothing.
  expect(runs - before).toBeGreaterThan(1);
  const checked = await books(id);
  expect(checked).toMatchObject({ settled_cost_nano: COST, consistent: true });
  console.log(`${runs - before} runs, ${told.length} answers alike, one charge`);
});
