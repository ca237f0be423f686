import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, owner, rest } from "./client.ts";
import { configureModels } from "./provider.ts";

configureModels();
(env as unknown as Env).MARKUPS = JSON.stringify({
  cloud: "1.10",
  plans: { pro: { cloud: "1.00" }, free: { cloud: "1.2345" } },
  models: { "paid/tokens-7-3": "1.50" },
});

/** 1,000 in and 500 out at 3 and 15 USD a million: 10,500,000 nano-USD. */
const COSTS = { pro: 10_500_000, free: 12_962_250, enterprise: 11_550_000 };

describe.each(DOORS)("markups over %s", (door) => {
  it.each(Object.entries(COSTS))("an account on %s pays its plan's: %i nano-USD", async (plan, nano) => {
    const { account: id, key } = await account(plan);
    const ask = (model: string, more = {}) => callThrough(door, key, "chat", { message: "Hi.", model, ...more });
    const told = await ask("paid/tokens-1000-500");
    expect(told).toMatchObject({ code: "ok", cost: nano });
    expect(told.data.cost.nano_usd).toBe(nano);
    // Held after the call was admitted: it reads its session first.
    expect(await ask("paid/tokens-1000-500", { session_id: "a-session" })).toMatchObject({ code: "ok", cost: nano });
    // A model's own markup holds on every plan: (7 x 3 + 3 x 15) x 1,000 nano-USD x 1.5.
    expect((await ask("paid/tokens-7-3")).cost).toBe(99_000);
    const { body } = await rest(await owner(), "GET", `/v1/admin/accounts/${id}`);
    expect(body.books).toMatchObject({ consistent: true, settled_cost_nano: 2 * nano + 99_000, reserved_nano: 0 });
  });

  it("a plan that changes between calls changes the markup of the next", async () => {
    const { account: id, key } = await account("pro");
    const ask = () => callThrough(door, key, "chat", { message: "Hi.", model: "paid/tokens-1000-500" });
    expect((await ask()).cost).toBe(COSTS.pro);
    await rest(await owner(), "POST", `/v1/admin/accounts/${id}/plan`, { plan: "enterprise" });
    expect((await ask()).cost).toBe(COSTS.enterprise);
  });
});
