import { env, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, owner, rest } from "./client.ts";
import { configureModels, priceOf, servedBy } from "./provider.ts";

configureModels();
(env as unknown as Env).PLANS = JSON.stringify({
  small: { minute: 60, hour: 1_000, day: 10_000, monthlyTokens: 5_000 },
});

const SIZES = [
  { model: "tokens-1-1", input: 1, output: 1 },
  { model: "tokens-7-3", input: 7, output: 3 },
  { model: "tokens-1000-500", input: 1000, output: 500 },
  { model: "tokens-12345-678", input: 12_345, output: 678 },
];

/** Nano-USD: enough to start one more call of any size, and no second. */
const LEFT = 2_000_000;

const ledger = (id: string) => env.LEDGER.get(env.LEDGER.idFromName(id));

const audit = async (id: string) => (await rest(await owner(), "GET", `/v1/admin/accounts/${id}`)).body.books;

describe.each(DOORS)("money over %s", (door) => {
  it("the usage report is the sum of the calls, to the nano-USD", async () => {
    const { account: id, key } = await account();
    const calls = SIZES.flatMap((size) => [size, size, size]);
    const told = await Promise.all(
      calls.map(({ model }) => callThrough(door, key, "chat", { message: "How much?", model: `paid/${model}` })),
    );
    expect(told.map(({ cost }) => cost)).toEqual(calls.map(priceOf));
    expect(told.map(({ data }) => data.cost.nano_usd)).toEqual(calls.map(priceOf));
    const sum = (of: (size: (typeof SIZES)[number]) => number) => calls.reduce((total, size) => total + of(size), 0);
    const { body: report } = await rest(key, "GET", "/v1/usage?recent=50");
    const chats = { calls: 12, errors: 0, input_tokens: sum((s) => s.input), output_tokens: sum((s) => s.output) };
    expect(report.by_tool.chat).toEqual({ ...chats, cost_nano: sum(priceOf) });
    expect(report.total.cost_nano).toBe(sum(priceOf));
    for (const size of SIZES) expect(report.by_model[`paid/${size.model}`].cost_nano).toBe(3 * priceOf(size));
    const listed = report.recent.filter(({ tool }: { tool: string }) => tool === "chat");
    expect(listed.reduce((total: number, call: { cost_nano: number }) => total + call.cost_nano, 0)).toBe(sum(priceOf));
    expect(await audit(id)).toMatchObject({
      consistent: true,
      settled_cost_nano: sum(priceOf),
      reserved_nano: 0,
      open_holds: 0,
    });
  });

  it("plan tokens first, then prepaid credit, then payment_required; credit opens the way again", async () => {
    const { account: id, key } = await account("free");
    const credit = (ref: string, nano_usd: number) =>
      owner().then((admin) => rest(admin, "POST", `/v1/admin/accounts/${id}/credit`, { id: ref, nano_usd }));
    const ask = (model: string) => callThrough(door, key, "chat", { message: "Go on.", model: `paid/${model}` });
    const report = async () => (await rest(key, "GET", "/v1/usage?recent=1")).body;

    expect((await ask("tokens-999000-1000")).code).toBe("ok");
    expect((await report()).tokens).toMatchObject({ used: 1_000_000, remaining: 0 });
    const refused = await ask("tokens-1000-500");
    expect(refused).toMatchObject({ code: "payment_required", cost: 0, problem: { credit_available_nano: 0 } });
    expect(refused.problem?.next).toMatch(/plan.*credit/);

    const price = priceOf({ input: 1000, output: 500 });
    const paidIn = price + LEFT;
    expect((await credit("payment-1", paidIn)).body).toEqual({ account: id, balance_nano: paidIn, posted: true });
    expect((await credit("payment-1", paidIn)).body).toEqual({ account: id, balance_nano: paidIn, posted: false });
    const other = await credit("payment-1", paidIn + 1);
    expect([other.status, other.body.code]).toEqual([409, "conflict"]);
    expect(other.body).toMatchObject({ posted_nano_usd: paidIn, balance_nano: paidIn });
    expect((await audit(id)).balance_nano).toBe(paidIn);
    expect(await ask("tokens-1000-500")).toMatchObject({ code: "ok", cost: price });
    const after = await report();
    expect(after.balance).toEqual({ credit_nano: LEFT, reserved_nano: 0, available_nano: LEFT });
    expect((await ask("tokens-1000-500")).code).toBe("ok");
    expect((await report()).balance.credit_nano).toBe(LEFT - price);
    expect((await ask("tokens-1000-500")).code).toBe("payment_required");
    expect(await audit(id)).toMatchObject({ consistent: true, reserved_nano: 0, balance_nano: LEFT - price });
  });
});

describe("small money", () => {
  const credited = async (nano_usd: number) => {
    const { account: id, key } = await account("free");
    // Uses the plan's tokens up, so that credit pays.
    expect((await rest(key, "POST", "/v1/chat", { message: "x", model: "paid/tokens-999000-1000" })).status).toBe(200);
    await rest(await owner(), "POST", `/v1/admin/accounts/${id}/credit`, { id: crypto.randomUUID(), nano_usd });
    return { id, key };
  };
  const question = Array.from({ length: 400 }, (_, i) => `w${i}`).join(" ");

  it.each(DOORS)("buys the answer that it is enough for over %s, and the answer says so", async (door) => {
    const { id, key } = await credited(10_000_000);
    const asked = { message: question, model: "paid/echo", max_tokens: 4000 };
    const told = await callThrough(door, key, "chat", asked);
    expect(told.code).toBe("ok");
    const granted = told.data.max_tokens;
    expect(granted).toBeGreaterThanOrEqual(64);
    expect(granted).toBeLessThan(401);
    expect(told.data).toMatchObject({ finish_reason: "length", usage: { output_tokens: granted } });
    expect(told.data.cost.nano_usd).toBe(priceOf({ input: 404, output: granted }));
    const { balance_nano, reserved_nano, consistent } = await audit(id);
    expect({ balance_nano, reserved_nano, consistent }).toEqual({
      balance_nano: 10_000_000 - told.cost,
      reserved_nano: 0,
      consistent: true,
    });
    expect(balance_nano).toBeGreaterThanOrEqual(0);
  });

  it("and the rest of the plan's tokens together cut nothing that credit alone pays for", async () => {
    const { account: id, key } = await account("small");
    const asked = { message: question, model: "paid/echo", max_tokens: 4000 };
    const { body: alone } = await rest(key, "POST", "/v1/chat", asked);
    expect(alone).toMatchObject({ max_tokens: expect.any(Number), cost: { funding: "included" } });
    await rest(await owner(), "POST", `/v1/admin/accounts/${id}/credit`, { id: "c", nano_usd: 1_000_000_000_000 });
    const { status, body } = await rest(key, "POST", "/v1/chat", asked);
    expect([status, body.finish_reason, body.cost.funding]).toEqual([200, "stop", "credit"]);
    expect(body).not.toHaveProperty("max_tokens");
  });

  it("says nothing of a limit when all that was asked for could be paid", async () => {
    const { key } = await credited(1_000_000_000);
    const { body } = await rest(key, "POST", "/v1/chat", { message: question, model: "paid/echo", max_tokens: 20 });
    expect(body).not.toHaveProperty("max_tokens");
    expect(body.usage.output_tokens).toBe(20);
  });

  it("that is not enough for the fewest tokens worth having is refused, and asks nothing of the provider", async () => {
    const { id, key } = await credited(5_000_000);
    const before = await servedBy("echo");
    const { status, body } = await rest(key, "POST", "/v1/chat", { message: question, model: "paid/echo" });
    expect([status, body.code]).toEqual([402, "payment_required"]);
    expect(await servedBy("echo")).toBe(before);
    expect(await audit(id)).toMatchObject({ balance_nano: 5_000_000, reserved_nano: 0, consistent: true });
  });

  it("a provider that takes more than it was given is paid, in an entry of its own", async () => {
    const { id, key } = await credited(5_000_000);
    const usage = { input: 12_345, output: 678 };
    const asked = { message: "Go on.", model: "paid/tokens-12345-678", max_tokens: 100 };
    const { status, body } = await rest(key, "POST", "/v1/chat", asked);
    expect([status, body.cost.nano_usd]).toEqual([200, priceOf(usage)]);
    expect(await audit(id)).toMatchObject({
      balance_nano: 5_000_000 - priceOf(usage),
      reserved_nano: 0,
      consistent: true,
    });
    const kinds = await runInDurableObject(ledger(id), (_, { storage }) =>
      storage.sql
        .exec(
          "SELECT kind, credit_nano FROM entries WHERE call_id = (SELECT call_id FROM entries WHERE kind = 'overrun') ORDER BY seq",
        )
        .toArray(),
    );
    const settle = kinds.find(({ kind }) => kind === "settle")?.credit_nano as number;
    const overrun = kinds.find(({ kind }) => kind === "overrun")?.credit_nano as number;
    expect(kinds.map(({ kind }) => kind)).toEqual(["hold", "settle", "overrun"]);
    expect(settle).toBeGreaterThan(-5_000_000);
    expect(overrun).toBeLessThan(0);
    expect(settle + overrun).toBe(-priceOf(usage));
    // Nothing is left: the next call is refused.
    expect((await rest(key, "POST", "/v1/chat", asked)).body.code).toBe("payment_required");
  });
});
