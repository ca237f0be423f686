import { env } from "cloudflare:test";
import { Webhook } from "standardwebhooks";
import { describe, expect, inject, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { SPENDING_TOOLS } from "../../src/ledger/spending_tools.ts";
import { boundTokens } from "../../src/models/tokens.ts";
import { tools } from "../../src/tools/registry.ts";
import type { Received } from "../upstream/webhook_receiver.ts";
import { account, ORIGIN, owner, type Reply, rest } from "./client.ts";
import { client, connect } from "./oauth_flow.ts";
import { configureModels, priceOf } from "./provider.ts";
import { expectProblem } from "./refusal.ts";

configureModels();
const settings = env as unknown as Env;
const MESSAGE = "How much is it?";
const OUTPUT = 64;
/** What a call is held for is what it comes to: the stand-in uses as many tokens as its name says. */
const INPUT = boundTokens([{ role: "user", content: MESSAGE }]);
const MODEL = `paid/tokens-${INPUT}-${OUTPUT}`;
const COST = priceOf({ input: INPUT, output: OUTPUT });
settings.MODEL_PRICES = JSON.stringify({
  ...JSON.parse(settings.MODEL_PRICES ?? "{}"),
  [MODEL]: { input: "3", output: "15" },
});
settings.PLANS = JSON.stringify({
  strict: { minute: 20, hour: 100, day: 1_000, monthlyTokens: null, usd_month: "4.5", tools: { chat: { minute: 2 } } },
});

const FULL = { scopes: ["chat", "usage", "account"] };
const ask = (key: string, max_tokens = OUTPUT) =>
  rest(key, "POST", "/v1/chat", { message: MESSAGE, model: MODEL, max_tokens });
const setBudget = (key: string, id: string, budget: object) => rest(key, "POST", `/v1/budgets/${id}`, budget);
const codes = (replies: Reply[]) => new Set(replies.map(({ status, body }) => (status === 200 ? "ok" : body.code)));

describe("budgets over HTTP", () => {
  it("for 10 calls admits exactly 10 of 200 at once; idle, nothing is held and the balance is the sum of the entries", async () => {
    const { account: id, key } = await account("enterprise", FULL);
    const budget = {
      nano_usd: 11 * COST - 1,
      period: "month",
      tool: "chat",
      time_zone: "Europe/Berlin",
      reset_day: 15,
    };
    const made = await setBudget(key, "chat-of-the-month", budget);
    expect(made.body).toMatchObject({ id: "chat-of-the-month", kind: "hard", ...budget, spent_nano: 0 });

    const replies = await Promise.all(Array.from({ length: 200 }, () => ask(key)));
    const admitted = replies.filter(({ status }) => status === 200);
    expect(codes(replies)).toEqual(new Set(["ok", "budget_exceeded"]));
    expect(admitted).toHaveLength(10);
    for (const { body } of admitted) expect(body.cost.nano_usd).toBe(COST);

    const { body: books } = await rest(await owner(), "GET", `/v1/admin/accounts/${id}`);
    expect(books.books).toMatchObject({
      consistent: true,
      reserved_nano: 0,
      open_holds: 0,
      settled_cost_nano: 10 * COST,
    });
    expect(books.books.balance_nano).toBe(books.books.entries_sum_nano);
    const { body: list } = await rest(key, "GET", "/v1/budgets");
    expect(list.budgets).toMatchObject([{ id: "chat-of-the-month", spent_nano: 10 * COST, reserved_nano: 0 }]);

    const problem = expectProblem(await ask(key), "budget_exceeded", [key]);
    expect(problem).toMatchObject({
      status: 402,
      budget_id: "chat-of-the-month",
      tool: "chat",
      budget_nano_usd: budget.nano_usd,
      spent_nano_usd: 10 * COST,
      reserved_nano_usd: 0,
      resets_at: list.budgets[0].resets_at,
    });
    expect(problem.next).toContain("/v1/budgets/");
    expect((await rest(key, "POST", "/v1/chat", { message: "Hello.", model: "local/extractive" })).status).toBe(200);

    expect((await rest(key, "DELETE", "/v1/budgets/chat-of-the-month")).body).toMatchObject({ deleted: true });
    expect((await ask(key)).status).toBe(200);
    expectProblem(await rest(key, "DELETE", "/v1/budgets/chat-of-the-month"), "not_found", [key]);
  });

  it("cut the answer to what is left rather than refuse what would have fit", async () => {
    const { key } = await account("enterprise", FULL);
    await setBudget(key, "small", { nano_usd: COST, period: "total" });
    expect((await ask(key, 2_000)).status).toBe(200);
    expectProblem(await ask(key, 2_000), "budget_exceeded");
  });

  it("of `chat` are led around by no other way to chat", async () => {
    const { key } = await account("enterprise", FULL);
    await setBudget(key, "none", { nano_usd: 0, period: "month", tool: "chat" });
    const model = "paid/echo";
    const messages = [{ role: "user", content: MESSAGE }];
    const ways: [string, object][] = [
      ["/v1/chat", { message: MESSAGE, model }],
      ["/v1/chat/completions", { model, messages }],
      ["/v1/messages", { model, messages, max_tokens: 9 }],
      ["/v1/responses", { model, input: MESSAGE }],
    ];
    for (const [path, input] of ways) {
      const { status, body } = await rest(key, "POST", path, input);
      // Each door says it in its own words: 402, or the 429 of another API.
      expect([402, 429]).toContain(status);
      expect([path, body.detail ?? body.error.message]).toEqual([
        path,
        expect.stringContaining('Of the budget "none"'),
      ]);
    }
  });

  it("of an app are set before it first calls, and only of one that the account let in", async () => {
    const who = await account("enterprise", FULL);
    const { user } = (await rest(await owner(), "GET", `/v1/admin/accounts/${who.account}`)).body;
    const flow = { client: await client(), resource: `${ORIGIN}/v1`, scopes: ["chat" as const] };
    await connect({ user, account: who.account }, flow);
    const [app] = (await rest(who.key, "GET", "/v1/me/apps")).body.apps;
    const budget = { nano_usd: 5, period: "month", key_id: `grant_${app.grant}` };
    expect((await setBudget(who.key, "app", budget)).body).toMatchObject(budget);
    const { key: others } = await account("enterprise", FULL);
    expectProblem(await setBudget(others, "app", budget), "not_found", [others]);
  });

  it("can be of every tool that costs, and of no other", () => {
    const costing = tools.filter(({ metered }) => metered).map(({ name }) => name);
    expect([...SPENDING_TOOLS].sort()).toEqual([...costing, "relay"].sort());
  });

  it("refuse what is no budget, and who may not set one", async () => {
    const { key } = await account("enterprise", FULL);
    const good = { nano_usd: 5, period: "week" };
    for (const [id, wrong] of [
      ["b", { nano_usd: -1 }],
      ["b", { nano_usd: 1.5 }],
      ["b", { period: "year" }],
      ["b", { kind: "firm" }],
      ["b", { time_zone: "Mars/Olympus" }],
      ["b", { reset_day: 8 }],
      ["b", { tool: "Chat" }],
      ["b", { tool: "chats" }],
      ["b", { tool: "search" }],
      ["b", { colour: "red" }],
      ["Budget", {}],
    ] as const) {
      expectProblem(await setBudget(key, id, { ...good, ...wrong }), "invalid_input", [key]);
    }
    const misnamed = await setBudget(key, "b", { ...good, tool: "chats" });
    for (const tool of SPENDING_TOOLS) expect(misnamed.body.detail).toContain(`"${tool}"`);
    for (const key_id of ["key_none", "grant_typo", "jwt_typo"]) {
      expectProblem(await setBudget(key, "b", { ...good, key_id }), "not_found", [key]);
    }
    expect((await rest(key, "GET", "/v1/budgets")).body).toEqual({ budgets: [] });
    const { key: plain } = await account();
    expectProblem(await setBudget(plain, "b", good), "insufficient_scope", [plain]);
  });
});

describe("notices", () => {
  const receive = (mode: string, name: string) => `${inject("webhookUrl")}/${mode}/${name}`;
  const received = async (name: string): Promise<Received[]> =>
    (await fetch(`${inject("webhookUrl")}/log/${name}`)).json();
  const arrived = async (name: string, count: number): Promise<Received[]> => {
    for (let i = 0; i < 100; i++) {
      const log = await received(name);
      if (log.length >= count) return log;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return received(name);
  };
  /** An account with a webhook, and a soft budget that the first call crosses at 50 %. */
  const watched = async (mode: string, name: string) => {
    const who = await account("enterprise", FULL);
    const hook = await rest(who.key, "POST", "/v1/webhooks", { url: receive(mode, name) });
    expect(hook.status).toBe(200);
    await setBudget(who.key, "soft", { nano_usd: 2 * COST, period: "day", kind: "soft" });
    return { ...who, hook: hook.body };
  };

  it("reach the account's webhook signed, once each, and are in the usage report", async () => {
    const { key, account: id, hook } = await watched("ok", "signed");
    await ask(key);
    const [message] = (await arrived("signed", 1)) as [Received];
    const verified = new Webhook(hook.secret).verify(message.body, message.headers) as Record<string, unknown>;
    expect(verified).toMatchObject({
      type: "budget.threshold",
      data: { account: id, budget_id: "soft", threshold: 50, spent_nano: COST, nano_usd: 2 * COST },
    });
    expect(() => new Webhook("whsec_b3RoZXI=").verify(message.body, message.headers)).toThrow();
    await ask(key);
    const log = await arrived("signed", 3);
    expect(log.map(({ body }) => JSON.parse(body).data.threshold).sort()).toEqual([100, 50, 80]);
    expect(new Set(log.map(({ headers }) => headers["webhook-id"])).size).toBe(3);
    const { body: usage } = await rest(key, "GET", "/v1/usage");
    expect(usage.notices).toHaveLength(3);
    expect(usage.notices[0]).toMatch(/100 % of the soft budget "soft"/);
    await expect
      .poll(async () => {
        const { body } = await rest(key, "GET", "/v1/notices");
        return body.notices.map(({ deliveries }: { deliveries: { state: string }[] }) => deliveries[0]?.state);
      })
      .toEqual(["delivered", "delivered", "delivered"]);
    const { body: list } = await rest(key, "GET", "/v1/webhooks");
    expect(list.webhooks).toMatchObject([{ id: hook.id, pending: 0, given_up: 0 }]);
    expect(JSON.stringify(list)).not.toContain(hook.secret);
  });

  it("of a hard budget that begins to refuse reach the webhook as well, with nothing else called", async () => {
    const { key } = await account("enterprise", FULL);
    await rest(key, "POST", "/v1/webhooks", { url: receive("ok", "refusing") });
    await setBudget(key, "hard", { nano_usd: 2 * COST - 1, period: "month" });
    expect((await ask(key)).status).toBe(200);
    expect(expectProblem(await ask(key), "budget_exceeded", [key]).retry).toBe("later");
    const log = await arrived("refusing", 2);
    const data = log.map(({ body }) => JSON.parse(body).data);
    expect(data.map(({ threshold, cause }) => `${threshold} ${cause}`).sort()).toEqual(["100 refused", "50 used"]);
    expect(data.find(({ threshold }) => threshold === 100)).toMatchObject({ budget_id: "hard", spent_nano: COST });
  });

  it("wait for a receiver that is slow, fails or redirects, and calls do not", async () => {
    const kinds = ["slow", "fail", "redirect"] as const;
    const accounts = await Promise.all(kinds.map((mode) => watched(mode, mode)));
    await Promise.all(accounts.map(({ key }) => ask(key)));
    await Promise.all(kinds.map((mode) => arrived(mode, 1)));
    for (const { key } of accounts) {
      const before = Date.now();
      expect((await ask(key)).status).toBe(200);
      expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
      expect(Date.now() - before).toBeLessThan(3_000);
    }
    expect((await received("redirect")).map(({ path }) => path)).not.toContain("/ok/redirect");
    const states = accounts.map(async ({ key }) => (await rest(key, "GET", "/v1/notices")).body.notices.at(-1));
    for (const { deliveries } of await Promise.all(states)) expect(deliveries).toMatchObject([{ state: "pending" }]);
  });

  it.each([
    "http://example.com/hook",
    "https://10.0.0.1/hook",
    "https://[::ffff:127.0.0.1]/hook",
    "https://metadata.internal/",
    "https://user:password@example.com/",
    "ftp://127.0.0.1/",
    "not a URL",
  ])("are not sent to %s", async (url) => {
    const { key } = await account("enterprise", FULL);
    expectProblem(await rest(key, "POST", "/v1/webhooks", { url }), "invalid_input", [key]);
    expect((await rest(key, "GET", "/v1/webhooks")).body).toEqual({ webhooks: [] });
  });

  it("go to a webhook no more once it is deleted", async () => {
    const { key, hook } = await watched("ok", "deleted");
    expect((await rest(key, "DELETE", `/v1/webhooks/${hook.id}`)).body).toEqual({ webhook_id: hook.id, deleted: true });
    await ask(key);
    expect((await rest(key, "GET", "/v1/notices")).body.notices).toMatchObject([{ deliveries: [] }]);
    expect(await received("deleted")).toEqual([]);
    expectProblem(await rest(key, "DELETE", `/v1/webhooks/${hook.id}`), "not_found", [key]);
  });
});

describe("plans", () => {
  it("are listed with their price, and limit single tools", async () => {
    const { key } = await account("strict", FULL);
    const { body } = await rest(key, "GET", "/v1/plans");
    expect(body.current).toBe("strict");
    const prices = body.plans.map(({ id, usd_month }: { id: string; usd_month: string | null }) => [id, usd_month]);
    expect(prices).toEqual([
      ["free", "0.00"],
      ["basic", "9.99"],
      ["pro", "29.99"],
      ["enterprise", null],
      ["strict", "4.50"],
    ]);
    const completion = { model: "paid/echo", messages: [{ role: "user", content: "a" }] };
    const ways = [() => ask(key), () => rest(key, "POST", "/v1/chat/completions", completion)];
    const chats = await Promise.all(Array.from({ length: 6 }, (_, i) => (ways[i % 2] as () => Promise<Reply>)()));
    expect(chats.filter(({ status }) => status === 200)).toHaveLength(2);
    chats.push(await ask(key));
    const refused = chats.at(-1) as Reply;
    expect(expectProblem(refused, "rate_limited", [key])).toMatchObject({ limit: "minute", tool: "chat" });
    expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
  });
});
