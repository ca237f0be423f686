import { env, runDurableObjectAlarm } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { AMOUNTS } from "../upstream/stripe_server.ts";
import { account, owner, rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import { balanceOf, buy, CENT, configureStripe, deliver, disputeOf, eventOf, served } from "./stripe_wire.ts";

configureModels();
beforeEach(() => configureStripe());

const RULE = { enabled: true, threshold_cents: 100, amount_cents: 2_000, monthly_max_cents: 100_000 };

const setRule = (key: string, rule: unknown) => rest(key, "PATCH", "/v1/balance/auto-top-up", rule);
const alarm = (id: string) => runDurableObjectAlarm(env.LEDGER.get(env.LEDGER.idFromName(id)));
const chargesOf = (id: string) =>
  served(({ path, form }) => path === "/v1/payment_intents" && form["metadata[waypost_account]"] === id);

/** An account that bought 500 cents with a card it saved, and spent 450 of them. */
async function nearlyEmpty(method = "pm_good") {
  const who = await account("pro", { scopes: ["account", "usage"] });
  const session = await buy(who.key, 500, { save_payment_method: true, method });
  expect((await deliver(eventOf("checkout.session.completed", session))).body.outcome).toBe("posted");
  const spent = { id: "spent", nano_usd: -450 * CENT, note: "spent" };
  await rest(await owner(), "POST", `/v1/admin/accounts/${who.account}/adjust`, spent);
  return { ...who, session };
}

/** The ledger's alarm may have rung by itself meanwhile: rings until the state is as it should be. */
async function until(id: string, reached: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 50 && !(await reached()); i++) {
    await alarm(id);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("automatic top-up over the wire", () => {
  it("charges the saved card once while nobody is there, and credits it", async () => {
    const { account: id, key } = await nearlyEmpty();
    const set = await setRule(key, RULE);
    expect(set.body).toMatchObject({ enabled: true, threshold_cents: 100, has_payment_method: true });
    await until(id, async () => (await balanceOf(key)).balance_nano === 2_050 * CENT);
    await alarm(id);
    expect(await balanceOf(key)).toMatchObject({
      balance_nano: 2_050 * CENT,
      auto_top_up: { bought_this_month_cents: 2_000, in_progress: false, failures: 0 },
      entries: [{ kind: "credit", nano_usd: 2_000 * CENT, note: "automatic top-up" }, {}, {}],
    });
    const charges = await chargesOf(id);
    expect(charges).toHaveLength(1);
    expect(charges[0]).toMatchObject({
      idempotencyKey: `topup_${id}_1`,
      form: { amount: "2000", currency: "usd", off_session: "true", confirm: "true", payment_method: "pm_good" },
    });
    expect(charges[0]?.form.customer).toMatch(/^cus_/);
  });

  it("is asked for by usage that leaves too little, without anybody asking", async () => {
    const { account: id, key } = await account("free", { scopes: ["account", "usage", "usage:ingest"] });
    await deliver(eventOf("checkout.session.completed", await buy(key, 500, { save_payment_method: true })));
    await setRule(key, RULE);
    // More tokens than the plan has, so credit pays: 4.635 USD.
    const usage = { input: 1_500_000, output: 0 };
    const event = { event_id: "e", at: new Date().toISOString(), provider: "paid", model: "echo", usage };
    const { body } = await rest(key, "POST", "/v1/usage/events", { events: [event] });
    expect(body.cost_nano).toBe(4_635_000_000);
    for (let i = 0; i < 100 && (await balanceOf(key)).balance_nano < 100 * CENT; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await balanceOf(key)).balance_nano).toBe(2_500 * CENT - 4_635_000_000);
    expect(await chargesOf(id)).toHaveLength(1);
  });

  it.each(["failsOnce", "answerLostOnce"] as const)("pays once in spite of: %s", async (how) => {
    const { account: id, key } = await nearlyEmpty();
    await setRule(key, { ...RULE, amount_cents: AMOUNTS[how] });
    await until(id, async () => (await balanceOf(key)).balance_nano > 100 * CENT);
    expect((await balanceOf(key)).balance_nano).toBe((AMOUNTS[how] + 50) * CENT);
    expect(new Set((await chargesOf(id)).map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it("a card that is declined is told to the owner and not asked again at once", async () => {
    const { account: id, key } = await nearlyEmpty("pm_declined");
    await setRule(key, RULE);
    await until(id, async () => (await balanceOf(key)).auto_top_up.failures === 1);
    await alarm(id);
    const balance = await balanceOf(key);
    expect(balance).toMatchObject({ balance_nano: 50 * CENT, auto_top_up: { enabled: true, failures: 1 } });
    expect(balance.entries[0]).toMatchObject({
      kind: "notice",
      nano_usd: 0,
      note: expect.stringMatching(/insufficient_funds/),
    });
    expect(await chargesOf(id)).toHaveLength(1);
  });

  it("a payment under way is credited when Stripe says it succeeded, once", async () => {
    const { account: id, key } = await nearlyEmpty("pm_processing");
    await setRule(key, RULE);
    await until(id, async () => (await chargesOf(id)).length > 0 && (await balanceOf(key)).auto_top_up.in_progress);
    const metadata = { waypost_account: id, waypost_top_up: `topup_${id}_1` };
    const intent = { id: `pi_of_${id}`, currency: "usd", amount_received: 2_000, metadata };
    const event = eventOf("payment_intent.succeeded", intent);
    expect((await deliver(event)).body).toEqual({ outcome: "posted" });
    expect((await deliver(event)).body).toEqual({ outcome: "duplicate" });
    expect(await balanceOf(key)).toMatchObject({ balance_nano: 2_050 * CENT, auto_top_up: { in_progress: false } });
  });

  it("stops when a payment is disputed, and starts when it is set anew", async () => {
    const { account: id, key, session } = await nearlyEmpty();
    await setRule(key, { ...RULE, threshold_cents: 0 });
    await deliver(eventOf("charge.dispute.created", disputeOf(session, 500, "needs_response")));
    await alarm(id);
    expect((await balanceOf(key)).auto_top_up).toMatchObject({ enabled: false, stopped: "a payment is disputed" });
    expect(await chargesOf(id)).toEqual([]);
    expect((await setRule(key, RULE)).body).toMatchObject({ enabled: true, stopped: null });
    await until(id, async () => (await chargesOf(id)).length > 0);
    expect(await chargesOf(id)).toHaveLength(1);
  });

  it("needs all its amounts, the scope account, and Stripe", async () => {
    const { key } = await account("pro", { scopes: ["account", "usage"] });
    for (const rule of [{}, { enabled: true }, { ...RULE, monthly_max_cents: 1_999 }, { ...RULE, amount_cents: 499 }]) {
      expect((await setRule(key, rule)).body.code).toBe("invalid_input");
    }
    expect((await setRule(key, RULE)).body).toMatchObject({ enabled: false, has_payment_method: false });
    expect((await setRule(key, { enabled: false })).body).toMatchObject({ enabled: false, threshold_cents: null });
    configureStripe({ STRIPE_SECRET_KEY: undefined });
    expect((await setRule(key, RULE)).body.code).toBe("not_configured");
    const reader = await account("pro", { scopes: ["usage"] });
    expect((await setRule(reader.key, RULE)).body.required_scope).toBe("account");
  });
});
