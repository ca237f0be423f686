import { describe, expect, it } from "vitest";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, owner, rest } from "./client.ts";
import { configureModels, priceOf } from "./provider.ts";

configureModels();

const SIZES = [
  { model: "tokens-1-1", input: 1, output: 1 },
  { model: "tokens-7-3", input: 7, output: 3 },
  { model: "tokens-1000-500", input: 1000, output: 500 },
  { model: "tokens-12345-678", input: 12_345, output: 678 },
];

/** Nano-USD: enough to start one more call of any size, and no second. */
const LEFT = 2_000_000;

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
    expect((await credit("payment-1", paidIn)).body).toEqual({ account: id, balance_nano: paidIn });
    expect((await credit("payment-1", paidIn)).body.balance_nano).toBe(paidIn);
    expect(await ask("tokens-1000-500")).toMatchObject({ code: "ok", cost: price });
    const after = await report();
    expect(after.balance).toEqual({ credit_nano: LEFT, reserved_nano: 0, available_nano: LEFT });
    expect((await ask("tokens-1000-500")).code).toBe("ok");
    expect((await report()).balance.credit_nano).toBe(LEFT - price);
    expect((await ask("tokens-1000-500")).code).toBe("payment_required");
    expect(await audit(id)).toMatchObject({ consistent: true, reserved_nano: 0, balance_nano: LEFT - price });
  });
});
