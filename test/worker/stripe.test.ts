import { beforeEach, describe, expect, it } from "vitest";
import { AMOUNTS } from "../upstream/stripe_server.ts";
import { account, owner, rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import {
  balanceOf,
  buy,
  CENT,
  configureStripe,
  deliver,
  eventOf,
  newBuyer,
  type PaidSession,
  STRIPE_KEY,
  served,
} from "./stripe_wire.ts";

configureModels();
beforeEach(() => configureStripe());

const completed = (session: PaidSession) => eventOf("checkout.session.completed", session);
const nanoOf = async (key: string) => (await balanceOf(key)).balance_nano;
const books = async (id: string) => (await rest(await owner(), "GET", `/v1/admin/accounts/${id}`)).body.books;
const topUp = (key: string, body: unknown, headers = {}) => rest(key, "POST", "/v1/balance/top-up", body, headers);

describe("a page to pay on", () => {
  it("without a key of Stripe: what to set, and what works until then", async () => {
    configureStripe({ STRIPE_SECRET_KEY: undefined });
    const { key } = await newBuyer();
    const { status, body } = await topUp(key, { amount_cents: 500 });
    expect([status, body.code]).toEqual([503, "not_configured"]);
    expect(body.detail).toMatch(/STRIPE_SECRET_KEY.*\/credit/);
    expect((await deliver(eventOf("payment_intent.succeeded", {}))).status).toBe(503);
  });

  it("is asked for in Stripe's words, and credits nothing before it is paid", async () => {
    const { account: id, key } = await newBuyer();
    const reply = await topUp(key, { amount_cents: 2_000 }, { "Idempotency-Key": "page-1" });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ amount_cents: 2_000, currency: "usd" });
    const [request, ...more] = await served(({ form }) => form["metadata[waypost_account]"] === id);
    expect(more).toEqual([]);
    expect(request).toMatchObject({
      path: "/v1/checkout/sessions",
      authorization: `Bearer ${STRIPE_KEY}`,
      contentType: "application/x-www-form-urlencoded",
      form: {
        mode: "payment",
        "payment_intent_data[metadata][waypost_account]": id,
        "line_items[0][price_data][currency]": "usd",
        "line_items[0][price_data][unit_amount]": "2000",
        "line_items[0][quantity]": "1",
      },
    });
    expect(reply.body.url).toContain(reply.body.checkout_session);
    expect((await topUp(key, { amount_cents: 2_000 }, { "Idempotency-Key": "page-1" })).body).toEqual(reply.body);
    expect(await nanoOf(key)).toBe(0);
  });

  it.each([
    [{ amount_cents: 499 }, /amount_cents/],
    [{ amount_cents: 1_000_001 }, /amount_cents/],
    [{ amount_cents: 500.5 }, /amount_cents/],
    [{ amount_cents: 500, currency: "eur" }, /only `usd`/],
    [{}, /amount_cents/],
  ])("refuses %j", async (input, says) => {
    const { key } = await newBuyer();
    const { status, body } = await topUp(key, input);
    expect([status, body.code]).toEqual([400, "invalid_input"]);
    expect(body.detail).toMatch(says);
  });

  it("needs the scope account", async () => {
    const { key } = await account("pro", { scopes: ["usage"] });
    expect((await topUp(key, { amount_cents: 500 })).body).toMatchObject({ required_scope: "account" });
  });

  it.each(["failsOnce", "answerLostOnce", "lockedOnce", "slow"] as const)("comes in spite of: %s", async (how) => {
    const { account: id, key } = await newBuyer();
    expect((await topUp(key, { amount_cents: AMOUNTS[how] })).status).toBe(200);
    const keys = await served(({ form }) => form["metadata[waypost_account]"] === id);
    expect(new Set(keys.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
  });

  it.each(["fails", "tooMany"] as const)("is refused with what to do when Stripe does not do it: %s", async (how) => {
    const { key } = await newBuyer();
    const { status, body } = await topUp(key, { amount_cents: AMOUNTS[how] });
    expect([status, body.code, body.retry]).toEqual([503, "payment_unavailable", "later"]);
    expect(JSON.stringify(body)).not.toContain("unexpected error");
  });

  it("says that Stripe does not accept the key, and not which it is", async () => {
    configureStripe({ STRIPE_SECRET_KEY: "sk_test_refused" });
    const { key } = await newBuyer();
    const { body } = await topUp(key, { amount_cents: 500 });
    expect([body.code, JSON.stringify(body).includes("sk_test")]).toEqual(["not_configured", false]);
  });
});

describe("a payment", () => {
  it("is credited once, delivered ten times at once and ten times after", async () => {
    const { account: id, key } = await newBuyer();
    const session = await buy(key, 1_234);
    const event = completed(session);
    const atOnce = await Promise.all(Array.from({ length: 10 }, () => deliver(event)));
    for (let i = 0; i < 10; i++) atOnce.push(await deliver(event));
    atOnce.push(await deliver(eventOf("checkout.session.async_payment_succeeded", session)));
    expect(atOnce.map(({ status }) => status)).toEqual(Array(21).fill(200));
    expect(atOnce.filter(({ body }) => body.outcome === "posted")).toHaveLength(1);
    const balance = await balanceOf(key);
    expect(balance).toMatchObject({ balance_nano: 1_234 * CENT, available_nano: 1_234 * CENT, reserved_nano: 0 });
    expect(balance.entries).toMatchObject([{ id: `stripe:${session.id}`, kind: "credit", nano_usd: 1_234 * CENT }]);
    expect(await books(id)).toMatchObject({ consistent: true, entries: 1 });
  });

  it("that is not made yet credits nothing", async () => {
    const { key } = await newBuyer();
    const session = await buy(key, 500);
    const unpaid = { ...session, payment_status: "unpaid" };
    expect((await deliver(completed(unpaid))).body).toEqual({ outcome: "ignored" });
    expect(await nanoOf(key)).toBe(0);
    expect((await deliver(eventOf("checkout.session.async_payment_succeeded", session))).body.outcome).toBe("posted");
    expect(await nanoOf(key)).toBe(500 * CENT);
  });

  it("counts only when Stripe signed it, lately", async () => {
    const { key } = await newBuyer();
    const session = await buy(key, 500);
    const event = completed(session);
    const now = Math.floor(Date.now() / 1_000);
    const replies = [
      await deliver(event, { signature: null }),
      await deliver(event, { signature: "t=1,v1=00" }),
      await deliver(event, { signature: "x".repeat(10_000) }),
      await deliver(event, { secret: "whsec_another" }),
      await deliver(event, { timestamp: now - 301 }),
      await deliver(event, { body: JSON.stringify({ ...event, id: "evt_forged" }) }),
    ];
    expect(replies.map(({ status, body }) => [status, body.code])).toEqual(Array(6).fill([401, "unauthenticated"]));
    expect(await nanoOf(key)).toBe(0);
    expect((await deliver(event, { timestamp: now - 290 })).body).toEqual({ outcome: "posted" });
  });

  it.each([
    ["not JSON", "not JSON", "invalid_json"],
    ["no event", "{}", "invalid_input"],
    ["null", "null", "invalid_input"],
    ["a session without an id", completed({ payment_status: "paid" } as unknown as PaidSession), "invalid_input"],
    [
      "money that is none",
      completed({ id: "cs_1", payment_status: "paid", amount_total: -5 } as never),
      "invalid_input",
    ],
  ])("signed and %s is refused", async (_, event, code) => {
    const { status, body } = await deliver(event);
    expect([status, body.code]).toEqual([400, code]);
  });

  it("an event that says nothing about money is ignored", async () => {
    expect((await deliver(eventOf("customer.updated", { id: "cus_1" }))).body).toEqual({ outcome: "ignored" });
  });

  it("of live money is refused while the key is a test key, and the other way round", async () => {
    const { key } = await newBuyer();
    const session = await buy(key, 500);
    const live = await deliver({ ...completed(session), livemode: true });
    expect([live.status, live.body.detail]).toEqual([400, expect.stringContaining("test key")]);
    configureStripe({ STRIPE_SECRET_KEY: "sk_live_key" });
    const test = await deliver(completed(session));
    expect([test.status, test.body.detail]).toEqual([400, expect.stringContaining("live key")]);
    expect(await nanoOf(key)).toBe(0);
  });
});

describe("what cannot be booked is kept for the operator", () => {
  const kept = async (id: string) => {
    const { body } = await rest(await owner(), "GET", "/v1/admin/payments/unmatched?limit=500");
    return body.payments.filter(({ event_id }: { event_id: string }) => event_id === id);
  };

  it.each([
    ["names no account", { metadata: {} }, "no_account"],
    ["names an account that does not exist", { metadata: { waypost_account: "acc_nobody" } }, "unknown_account"],
  ])("a payment that %s", async (_, over, reason) => {
    const { key } = await newBuyer();
    const session = await buy(key, 700);
    const foreign = { ...session, payment_intent: null, ...over };
    const event = completed(foreign);
    expect((await deliver(event)).body).toEqual({ outcome: "unmatched" });
    expect((await deliver(event)).body).toEqual({ outcome: "unmatched" });
    expect(await kept(event.id)).toMatchObject([{ reason, object_id: session.id, amount_cents: 700, currency: "usd" }]);
    expect(await nanoOf(key)).toBe(0);
  });

  it("a payment in another currency, which is refused too", async () => {
    const { key } = await newBuyer();
    const event = completed({ ...(await buy(key, 700)), currency: "eur" });
    const { status, body } = await deliver(event);
    expect([status, body.detail]).toEqual([400, expect.stringContaining("only `usd`")]);
    expect(await kept(event.id)).toMatchObject([{ reason: "currency", currency: "eur" }]);
    expect(await nanoOf(key)).toBe(0);
  });

  it("is shown to no one else", async () => {
    const { key } = await newBuyer();
    expect((await rest(key, "GET", "/v1/admin/payments/unmatched")).status).toBe(403);
  });
});
