import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { account, owner, type Reply, rest } from "./client.ts";
import { configureModels } from "./provider.ts";
import { expectProblem } from "./refusal.ts";
import { balanceOf, buy, configureStripe, deliver, eventOf, served } from "./stripe_wire.ts";

configureModels();
beforeEach(() => configureStripe());

const FULL = { scopes: ["chat", "account", "usage"] };
const SMALL = { nano_usd: 1_000_000, period: "month" };
const RULE = { enabled: true, threshold_cents: 1_000_000, amount_cents: 1_000_000, monthly_max_cents: 10_000_000 };

const made = async (reply: Promise<Reply>) => {
  const { status, body } = await reply;
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
const create = (key: string, spec: object = {}) =>
  made(rest(key, "POST", "/v1/keys", { name: "made", ...FULL, ...spec }));

/** An account with a saved card, a webhook and three keys: the owner's, one that is limited, and a sibling of that. */
async function world() {
  const who = await account("enterprise", FULL);
  await deliver(eventOf("checkout.session.completed", await buy(who.key, 500, { save_payment_method: true })));
  const { id: hook } = await made(rest(who.key, "POST", "/v1/webhooks", { url: "https://example.com/hook" }));
  const limited = await create(who.key, { budget: SMALL });
  const sibling = await create(who.key);
  return { ...who, hook, limited, sibling };
}

let who: Awaited<ReturnType<typeof world>>;
beforeAll(async () => {
  configureStripe();
  who = await world();
});

describe("a key that is limited, with the scope `account`", () => {
  it("has the owner's card charged in no way", async () => {
    const { key, account: id, limited } = who;
    for (const rule of [RULE, { enabled: false }]) {
      expectProblem(await rest(limited.api_key, "PATCH", "/v1/balance/auto-top-up", rule), "exceeds_own_key");
    }
    const bought = await rest(limited.api_key, "POST", "/v1/balance/top-up", { amount_cents: 500 });
    expectProblem(bought, "exceeds_own_key", [limited.api_key]);
    expect(bought.body.detail).toBe("A key that is limited does not buy credit.");
    expect((await balanceOf(key)).auto_top_up).toMatchObject({ enabled: false, threshold_cents: null });
    expect(
      await served(({ path, form }) => path.includes("intents") && form["metadata[waypost_account]"] === id),
    ).toEqual([]);
  });

  it.each<[string, string, (it: typeof who) => string, object?]>([
    ["delete a webhook", "DELETE", ({ hook }) => `/v1/webhooks/${hook}`],
    ["add a webhook", "POST", () => "/v1/webhooks", { url: "https://example.com/mine" }],
    ["revoke a sibling", "DELETE", ({ sibling }) => `/v1/keys/${sibling.id}`],
    ["revoke its maker", "DELETE", ({ keyId }) => `/v1/keys/${keyId}`],
    ["rename its maker", "PATCH", ({ keyId }) => `/v1/keys/${keyId}`, { name: "mine" }],
    ["choose the account's model", "PATCH", () => "/v1/preferences", { model: "paid/echo" }],
    ["set a budget", "POST", () => "/v1/budgets/all", { nano_usd: 5, period: "month" }],
    ["disconnect an app", "DELETE", () => "/v1/me/apps/nobodys"],
    ["sign its user out", "POST", () => "/v1/me/sign-out", {}],
  ])("does not %s", async (_, method, path, body) => {
    expectProblem(await rest(who.limited.api_key, method, path(who), body), "exceeds_own_key", [who.limited.api_key]);
    const { body: hooks } = await rest(who.key, "GET", "/v1/webhooks");
    expect(hooks.webhooks).toMatchObject([{ id: who.hook }]);
    const { body: listed } = await rest(who.key, "GET", "/v1/keys");
    for (const { revoked_at, name } of listed.keys) expect([revoked_at, name]).not.toContain("mine");
    expect((await rest(who.sibling.api_key, "GET", "/v1/usage")).status).toBe(200);
  });

  it("revokes what it made and itself", async () => {
    const { key } = await account("enterprise", FULL);
    const limited = await create(key, { budget: SMALL });
    const child = await create(limited.api_key);
    expect(await made(rest(limited.api_key, "DELETE", `/v1/keys/${child.id}`))).toMatchObject({ id: child.id });
    expect(await made(rest(limited.api_key, "DELETE", `/v1/keys/${limited.id}`))).toMatchObject({ id: limited.id });
    expectProblem(await rest(limited.api_key, "GET", "/v1/usage"), "key_revoked");
  });

  it("moves neither plan nor credit of its own account as an operator", async () => {
    const admin = await owner();
    const { account: home } = (await rest(admin, "GET", "/v1/me")).body;
    const limited = await create(admin, { scopes: ["admin", "account"], limits: { minute: 50 } });
    const path = (name: string, of = home.id) => `/v1/admin/accounts/${of}/${name}`;
    const credit = { id: "own", nano_usd: 5, note: "mine" };
    for (const [name, body] of [
      ["plan", { plan: "free" }],
      ["credit", credit],
      ["adjust", credit],
    ] as const) {
      expectProblem(await rest(limited.api_key, "POST", path(name), body), "exceeds_own_key", [limited.api_key]);
      await made(
        rest(limited.api_key, "POST", path(name, who.account), name === "plan" ? { plan: "enterprise" } : body),
      );
    }
  });
});

describe("a key whose maker is limited later", () => {
  it.each([
    [
      "a budget that names the maker",
      (key: string, id: string) => rest(key, "POST", "/v1/budgets/k1b", { nano_usd: 0, period: "month", key_id: id }),
    ],
    [
      "the maker's own budget",
      (key: string, id: string) => rest(key, "PATCH", `/v1/keys/${id}`, { budget: { nano_usd: 0, period: "month" } }),
    ],
  ] as const)("is held by %s, and does not loosen it", async (_, limit) => {
    const { key } = await account("enterprise", FULL);
    const maker = await create(key);
    const before = await create(maker.api_key);
    await made(limit(key, maker.id));
    const after = await create(maker.api_key);
    for (const { api_key } of [maker, before, after]) {
      expectProblem(
        await rest(api_key, "POST", "/v1/chat", { message: "Hello", model: "paid/echo" }),
        "budget_exceeded",
      );
      const loosened = await rest(api_key, "DELETE", "/v1/budgets/k1b");
      expect(["exceeds_own_key", "not_found"]).toContain(loosened.body.code);
      expectProblem(await rest(api_key, "PATCH", `/v1/keys/${maker.id}`, { budget: null }), "exceeds_own_key");
    }
    expect((await rest(key, "POST", "/v1/chat", { message: "Hello", model: "paid/echo" })).status).toBe(200);
  });
});
