import { beforeEach, describe, expect, it } from "vitest";
import { account, owner, rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import {
  balanceOf,
  bought,
  buy,
  CENT,
  chargeOf,
  configureStripe,
  deliver,
  disputeOf,
  eventOf,
  newBuyer,
  type PaidSession,
} from "./stripe_wire.ts";

configureModels();
beforeEach(() => configureStripe());

const completed = (session: PaidSession) => eventOf("checkout.session.completed", session);
const nanoOf = async (key: string) => (await balanceOf(key)).balance_nano;
const books = async (id: string) => (await rest(await owner(), "GET", `/v1/admin/accounts/${id}`)).body.books;

describe("refunds", () => {
  const refunded = (session: PaidSession, cents: number) => eventOf("charge.refunded", chargeOf(session, cents));

  it("in parts, out of order and repeated, take back what was refunded and no more", async () => {
    const { account: id, key, session } = await bought(1_000);
    const parts = [refunded(session, 300), refunded(session, 700), refunded(session, 1_000)];
    for (const i of [1, 0, 1, 2, 0, 2]) expect((await deliver(parts[i])).status).toBe(200);
    expect(await nanoOf(key)).toBe(0);
    const moved = (await balanceOf(key)).entries.map(({ kind, nano_usd }: { kind: string; nano_usd: number }) => [
      kind,
      nano_usd / CENT,
    ]);
    expect(moved).toEqual([
      ["refund", -300],
      ["refund", 0],
      ["refund", -700],
      ["credit", 1_000],
    ]);
    expect(await books(id)).toMatchObject({ consistent: true });
  });

  it("at once are taken back once each", async () => {
    const { key, session } = await bought(1_000);
    const parts = [100, 250, 600].map((cents) => refunded(session, cents));
    await Promise.all([...parts, ...parts, ...parts].map((part) => deliver(part)));
    expect(await nanoOf(key)).toBe(400 * CENT);
  });

  it("before the payment itself was heard of come to the same", async () => {
    const { key } = await newBuyer();
    const session = await buy(key, 800);
    await deliver(refunded(session, 300));
    expect(await nanoOf(key)).toBe(-300 * CENT);
    await deliver(completed(session));
    expect(await nanoOf(key)).toBe(500 * CENT);
  });

  it("that fail give the money back, once; told too early they are to be sent again", async () => {
    const { key, session } = await bought(1_000);
    const charge = chargeOf(session, 400);
    const refund = {
      id: "re_1",
      currency: "usd",
      amount: 400,
      charge: charge.id,
      payment_intent: session.payment_intent,
    };
    const failed = eventOf("refund.failed", refund);
    expect((await deliver(failed)).status).toBe(409);
    const first = refunded(session, 400);
    await deliver(first);
    await deliver(failed);
    await deliver(failed);
    await deliver(first);
    expect(await nanoOf(key)).toBe(1_000 * CENT);
    await deliver(refunded(session, 400));
    expect(await nanoOf(key)).toBe(600 * CENT);
  });

  it("may take the balance below zero: calls that cost are refused until it is paid", async () => {
    const { account: id, key } = await account("free", { scopes: ["account", "usage", "chat"] });
    const ask = () => rest(key, "POST", "/v1/chat", { message: "Go on.", model: "paid/tokens-999000-1000" });
    expect((await ask()).status).toBe(200);
    const session = await buy(key, 1_000);
    await deliver(completed(session));
    const cost = (await rest(key, "POST", "/v1/chat", { message: "Go on.", model: "paid/tokens-1000-500" })).body;
    expect(cost.code).toBeUndefined();
    await deliver(refunded(session, 1_000));
    expect(await nanoOf(key)).toBeLessThan(0);
    const refusedCall = await rest(key, "POST", "/v1/chat", { message: "Go on.", model: "paid/tokens-1-1" });
    expect([refusedCall.status, refusedCall.body.code]).toEqual([402, "payment_required"]);
    await deliver(completed(await buy(key, 500)));
    expect((await rest(key, "POST", "/v1/chat", { message: "Go on.", model: "paid/tokens-1-1" })).status).toBe(200);
    expect(await books(id)).toMatchObject({ consistent: true, reserved_nano: 0 });
  });
});

describe("disputes", () => {
  const told = (type: string, session: PaidSession, status: string) =>
    deliver(eventOf(`charge.dispute.${type}`, disputeOf(session, 900, status)));

  it.each([
    ["lost", ["created needs_response", "funds_withdrawn needs_response", "closed lost"], 100],
    ["won", ["created needs_response", "closed won", "funds_reinstated won"], 1_000],
    ["won, told backwards", ["funds_reinstated won", "closed won", "created needs_response"], 1_000],
    ["lost, told backwards and twice", ["closed lost", "created needs_response", "closed lost"], 100],
    ["only asked about", ["created warning_needs_response", "closed warning_closed"], 1_000],
  ])("%s", async (_, tellings, left) => {
    const { account: id, key, session } = await bought(1_000);
    for (const telling of tellings) {
      const [type, status] = telling.split(" ") as [string, string];
      expect((await told(type, session, status)).status).toBe(200);
    }
    expect(await nanoOf(key)).toBe(left * CENT);
    expect(await books(id)).toMatchObject({ consistent: true });
  });

  it("of a payment that is not ours is kept", async () => {
    const session = { id: "cs_x", payment_intent: "pi_of_somebody_else", amount_total: 900 };
    expect((await told("created", session, "needs_response")).body).toEqual({ outcome: "unmatched" });
  });
});

describe("an adjustment by the operator", () => {
  it("is signed, posted once per id, and may take the balance below zero", async () => {
    const { account: id, key } = await newBuyer();
    const adjust = async (ref: string, nano_usd: number) =>
      rest(await owner(), "POST", `/v1/admin/accounts/${id}/adjust`, { id: ref, nano_usd, note: "a correction" });
    expect((await adjust("a", 7_000)).body).toEqual({ account: id, balance_nano: 7_000, posted: true });
    expect((await adjust("a", 7_000)).body).toEqual({ account: id, balance_nano: 7_000, posted: false });
    const other = await adjust("a", -7_000);
    expect([other.status, other.body.code]).toEqual([409, "conflict"]);
    expect((await adjust("b", -7_001)).body.balance_nano).toBe(-1);
    expect((await adjust("c", 0)).status).toBe(400);
    expect((await balanceOf(key)).entries).toMatchObject([
      { id: "adjust:b", kind: "adjust", nano_usd: -7_001, note: "a correction" },
      { id: "adjust:a", nano_usd: 7_000 },
    ]);
    expect(await books(id)).toMatchObject({ consistent: true });
    const nobody = { id: "x", nano_usd: 1, note: "n" };
    expect((await rest(await owner(), "POST", "/v1/admin/accounts/acc_nobody/adjust", nobody)).status).toBe(404);
    expect((await rest(key, "POST", `/v1/admin/accounts/${id}/adjust`, nobody)).status).toBe(403);
  });
});
