import { abortAllDurableObjects, env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { unwrap } from "../../src/errors.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, agent, rest } from "./client.ts";
import { configureModels, priceOf, servedBy } from "./provider.ts";

configureModels();

/** The model that `auto` takes for an account. Where nobody prefers any, the embedded one answers in these tests. */

const PATH = "/v1/preferences";
const WHOLE = ["chat", "usage", "sync", "search", "account"];
const COST = priceOf({ input: 7, output: 3 });
const message = "Tell me of the tides.";

const set = (key: string, model: unknown) => rest(key, "PATCH", PATH, { model });
const own = (plan = "enterprise") => account(plan, { scopes: WHOLE });
const auto = async (key: string, more: object = {}) => (await rest(key, "POST", "/v1/chat", { message, ...more })).body;

/** Asked of the ledger itself: it counts as no call. */
const ledgerOf = (id: string) => {
  const { LEDGER } = env as unknown as Env;
  return LEDGER.get(LEDGER.idFromName(id)) as unknown as Pick<Ledger, "audit" | "prefer">;
};
const books = async (id: string) => unwrap(await ledgerOf(id).audit());
const closed = { consistent: true, reserved_nano: 0, open_holds: 0 };

describe("setting it", () => {
  it("is told by every reading of it, until it is taken back", async () => {
    const { key } = await own();
    const none = { model: null, offered: true };
    expect(await rest(key, "GET", PATH)).toMatchObject({ status: 200, body: none });
    expect((await rest(key, "GET", "/v1/models?limit=1")).body.preferred).toBeNull();
    expect((await set(key, " paid/tokens-7-3 ")).body).toEqual({ model: "paid/tokens-7-3", offered: true });
    expect((await rest(key, "GET", PATH)).body).toEqual({ model: "paid/tokens-7-3", offered: true });
    expect((await rest(key, "GET", "/v1/models?limit=1")).body.preferred).toBe("paid/tokens-7-3");
    const client = await agent(key);
    const { contents } = await client.readResource({ uri: "waypost://models" });
    expect(JSON.stringify(contents)).toContain("Preferred by this account, where auto is asked: paid/tokens-7-3.");
    await client.close();
    for (const nothing of [null, "auto"]) {
      expect((await set(key, "auto:hard")).body).toEqual({ model: "auto:hard", offered: true });
      expect((await set(key, nothing)).body).toEqual(none);
      expect(await auto(key)).toMatchObject({ model: "local/extractive", why: "auto: DEFAULT_MODEL" });
    }
  });

  it.each([
    ["a model that is not here", { model: "nobody/none" }, "model_unknown"],
    ["one without a price", { model: "paid/unpriced" }, "model_unpriced"],
    ["too many", { model: "paid/echo,paid/echo,paid/echo,paid/echo" }, "model_unknown"],
    ["a kind of auto that is none", { model: "auto:best" }, "model_unknown"],
    ["nothing", {}, "invalid_input"],
    ["no words", { model: "  " }, "invalid_input"],
    ["a number", { model: 7 }, "invalid_input"],
    ["a novel", { model: "x".repeat(201) }, "invalid_input"],
    ["another field", { model: "paid/echo", account: "other" }, "invalid_input"],
  ])("refuses %s and keeps what was", async (_, body, code) => {
    const { key } = await own();
    await set(key, "paid/echo");
    expect(await rest(key, "PATCH", PATH, body)).toMatchObject({ status: 400, body: { code } });
    expect((await rest(key, "GET", PATH)).body.model).toBe("paid/echo");
  });

  it("needs the scope account, reading it the scope chat", async () => {
    const { key } = await account("enterprise", { scopes: ["chat"] });
    expect(await set(key, "paid/echo")).toMatchObject({ status: 403, body: { required_scope: "account" } });
    expect((await rest(key, "GET", PATH)).body.model).toBeNull();
    const { key: searcher } = await account("enterprise", { scopes: ["search", "account"] });
    expect(await rest(searcher, "GET", PATH)).toMatchObject({ status: 403, body: { required_scope: "chat" } });
  });

  it("is the account's: for every key of it, for no other account, and after a restart", async () => {
    const [mine, other] = [await own(), await own()];
    expect((await set(mine.key, "paid/tokens-7-3")).status).toBe(200);
    await abortAllDurableObjects();
    const second = (await rest(mine.key, "POST", "/v1/keys", { name: "second", scopes: ["chat"] })).body.api_key;
    expect((await auto(second)).model).toBe("paid/tokens-7-3");
    expect((await rest(other.key, "GET", PATH)).body.model).toBeNull();
    expect((await auto(other.key)).model).toBe("local/extractive");
  });

  it("by many at once leaves one of theirs, which everybody is told", async () => {
    const { key } = await own();
    const names = ["paid/echo", "paid/tokens-7-3", "paid/tokens-1-1", "local/extractive"];
    await Promise.all(Array.from({ length: 20 }, (_, i) => set(key, names[i % names.length])));
    const { model } = (await rest(key, "GET", PATH)).body;
    expect(names).toContain(model);
    expect((await auto(key)).model).toBe(model);
  });
});

describe.each(DOORS)("chat over %s", (door) => {
  it.each([false, true])("takes it for auto, at its price, streamed: %s", async (stream) => {
    const { account: id, key } = await own();
    await set(key, "paid/tokens-7-3");
    const told = await callThrough(door, key, "chat", { message }, { stream });
    expect(told.data).toMatchObject({ model: "paid/tokens-7-3", why: "auto: the account's preference" });
    expect(told.cost || told.data.cost.nano_usd).toBe(COST);
    expect(await books(id)).toMatchObject({ ...closed, settled_cost_nano: COST });
  });

  it("the call's own model goes before the session's, that before the account's, that before the rules", async () => {
    const { key } = await own();
    await set(key, "paid/tokens-7-3");
    const session = { kind: "session.create", session_id: "s", model_preference: "paid/tokens-1-1" };
    await rest(key, "POST", "/v1/sync", { device_id: "d", push: [{ ...session, id: "1" }] });
    const chosen = async (more: object) => {
      const { model, why } = (await callThrough(door, key, "chat", { message, ...more })).data;
      return [model, why];
    };
    expect(await chosen({ session_id: "s", model: "paid/echo" })).toEqual(["paid/echo", "asked for by name"]);
    expect(await chosen({ session_id: "s" })).toEqual(["paid/tokens-1-1", "auto: the session's preference"]);
    expect(await chosen({ session_id: "other" })).toEqual(["paid/tokens-7-3", "auto: the account's preference"]);
    expect(await chosen({ model: "auto" })).toEqual(["paid/tokens-7-3", "auto: the account's preference"]);
    expect((await chosen({ model: "auto:quick" }))[1]).toBe("auto: quick (asked for)");
    await set(key, null);
    expect(await chosen({})).toEqual(["local/extractive", "auto: DEFAULT_MODEL"]);
  });

  it("passes over one that is not offered any more, and says so", async () => {
    const { account: id, key } = await own();
    unwrap(await ledgerOf(id).prefer("lost/model"));
    expect((await rest(key, "GET", PATH)).body).toMatchObject({ model: "lost/model", offered: false });
    const { data } = await callThrough(door, key, "chat", { message });
    expect(data).toMatchObject({
      model: "local/extractive",
      why: "auto: DEFAULT_MODEL; the account's preference, lost/model, is not offered",
    });
  });
});

describe("money", () => {
  it("is held for the model that is preferred: without enough of it nobody is asked", async () => {
    const { account: id, key } = await own("free");
    await set(key, "paid/tokens-999000-1000");
    const long = "moon ".repeat(209_000);
    expect(await rest(key, "POST", "/v1/chat", { message: long })).toMatchObject({
      status: 402,
      body: { code: "payment_required" },
    });
    expect(await servedBy("tokens-999000-1000")).toBe(0);
    expect(await books(id)).toMatchObject({ ...closed, settled_cost_nano: 0 });
  });

  it("is never spent twice: thirty calls at once on a budget for few", async () => {
    const { account: id, key } = await own();
    await set(key, "paid/tokens-7-3");
    const budget = { nano_usd: 10_000_000, period: "total" };
    expect((await rest(key, "POST", "/v1/budgets/few", budget)).status).toBe(200);
    const input = { message, max_tokens: 64 };
    const replies = await Promise.all(Array.from({ length: 30 }, () => rest(key, "POST", "/v1/chat", input)));
    const codes = replies.map(({ body }) => body.code ?? "ok");
    const answered = codes.filter((code) => code === "ok").length;
    expect(new Set(codes)).toEqual(new Set(["ok", "budget_exceeded"]));
    expect(await books(id)).toMatchObject({ ...closed, settled_cost_nano: answered * COST });
    expect(answered * COST).toBeLessThanOrEqual(budget.nano_usd);
  });

  it("one idempotency key, sent ten times at once: one charge", async () => {
    const { account: id, key } = await own();
    await set(key, "paid/tokens-7-3");
    const headers = { "Idempotency-Key": "once" };
    const replies = await Promise.all(
      Array.from({ length: 10 }, () => rest(key, "POST", "/v1/chat", { message }, headers)),
    );
    expect(new Set(replies.map(({ body }) => body.id)).size).toBe(1);
    expect(await books(id)).toMatchObject({ ...closed, settled_cost_nano: COST });
  });
});

describe.each([
  ["/v1/chat/completions", { messages: [{ role: "user", content: message }] }],
  ["/v1/responses", { input: message }],
  ["/v1/messages", { messages: [{ role: "user", content: message }], max_tokens: 100 }],
])("%s", (path, body) => {
  it.each([false, true])("takes it for auto and bills it, streamed: %s", async (stream) => {
    const { account: id, key } = await own();
    await set(key, "paid/tokens-7-3");
    const before = await servedBy("tokens-7-3");
    const reply = await rest(key, "POST", path, { ...body, model: "auto", stream });
    expect(reply.status).toBe(200);
    expect(await servedBy("tokens-7-3")).toBe(before + 1);
    await expect.poll(() => books(id)).toMatchObject({ ...closed, settled_cost_nano: COST });
    const named = await rest(key, "POST", path, { ...body, model: "paid/tokens-1-1", stream });
    expect(named.status).toBe(200);
    expect(await servedBy("tokens-7-3")).toBe(before + 1);
  });

  it("is refused without money before anybody is asked", async () => {
    const { account: id, key } = await own("free");
    await set(key, "paid/fail-503");
    const long = JSON.parse(JSON.stringify(body).replace(message, "moon ".repeat(250_000)));
    const reply = await rest(key, "POST", path, { ...long, model: "auto" });
    expect([402, 429]).toContain(reply.status);
    expect(JSON.stringify(reply.body)).toContain("payment_required");
    expect(await servedBy("fail-503")).toBe(0);
    expect(await books(id)).toMatchObject({ ...closed, settled_cost_nano: 0 });
  });
});
