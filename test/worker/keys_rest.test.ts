import { env } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { account, owner, type Reply, rest } from "./client.ts";
import { configureModels, priceOf } from "./provider.ts";
import { type Caller, expectProblem, refused, send } from "./refusal.ts";

configureModels();

const KEEPER = { scopes: ["account", "usage", "chat", "search"] };
const made = async (reply: Promise<Reply>) => {
  const { status, body } = await reply;
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
};
const create = (key: string, spec: object) => rest(key, "POST", "/v1/keys", { name: "made", ...spec });

let who: Caller;
beforeAll(async () => {
  who = await account("enterprise", KEEPER);
});

describe("a key over REST", () => {
  it("is made, found, renamed, used, rotated and revoked, and its secret shown twice at most", async () => {
    const spec = {
      scopes: ["usage"],
      limits: { minute: 9 },
      budget: { nano_usd: 5_000, period: "month" },
      expires_in: 600,
    };
    const key = await made(create(who.key, spec));
    expect(key).toMatchObject({
      scopes: ["usage"],
      created_by: who.keyId,
      last_used_at: null,
      budget: { nano_usd: 5_000, period: "month", spent_nano: 0, reserved_nano: 0 },
    });
    await made(rest(key.api_key, "GET", "/v1/usage"));
    const renamed = await made(rest(who.key, "PATCH", `/v1/keys/${key.id}`, { name: "renamed", limits: null }));
    expect(renamed).toMatchObject({ id: key.id, name: "renamed", limits: null, last_used_at: expect.any(String) });
    const rotated = await made(rest(who.key, "POST", `/v1/keys/${key.id}/rotate`, { overlap: 60 }));
    expect(rotated).toMatchObject({ id: key.id, name: "renamed", scopes: ["usage"], expires_at: key.expires_at });
    expect(rotated.api_key).not.toBe(key.api_key);
    for (const secret of [key.api_key, rotated.api_key]) await made(rest(secret, "GET", "/v1/usage"));
    const ended = await made(rest(who.key, "POST", `/v1/keys/${key.id}/rotate`, { overlap: 0 }));
    for (const secret of [key.api_key, rotated.api_key])
      expect((await rest(secret, "GET", "/v1/usage")).status).toBe(401);
    const usage = await made(rest(ended.api_key, "GET", "/v1/usage"));
    expect(usage.by_key[key.id].calls).toBe(4);
    const listed = await rest(who.key, "GET", "/v1/keys");
    expect(listed.body.keys.find(({ id }: { id: string }) => id === key.id)).toMatchObject({ name: "renamed" });
    expect(JSON.stringify(listed.body)).not.toMatch(/wp_|hash/);
    await made(rest(who.key, "DELETE", `/v1/keys/${key.id}`));
    await refused(who, () => send("/v1/usage", { key: ended.api_key, method: "GET" }), "key_revoked", [ended.api_key]);
    await refused(who, () => send(`/v1/keys/${key.id}/rotate`, { key: who.key, body: "{}" }), "conflict");
  });

  it("of another account looks like one that does not exist, whatever is tried", async () => {
    const other = await account();
    const shape = ({ status, body }: Reply, id: string) =>
      JSON.stringify([status, body])
        .replaceAll(id, "<id>")
        .replace(/req_[0-9a-z]+/g, "#");
    const tries: ((id: string) => Promise<Reply>)[] = [
      (id) => send(`/v1/keys/${id}`, { key: who.key, method: "PATCH", body: '{"name":"mine"}' }),
      (id) => send(`/v1/keys/${id}`, { key: who.key, method: "PATCH", body: '{"budget":null}' }),
      (id) => send(`/v1/keys/${id}/rotate`, { key: who.key, body: "{}" }),
      (id) => send(`/v1/keys/${id}`, { key: who.key, method: "DELETE" }),
    ];
    for (const attempt of tries) {
      await refused(other, () => attempt(other.keyId), "not_found");
      const nobodys = "key_0000000000000000";
      expect(shape(await attempt(other.keyId), other.keyId)).toBe(shape(await attempt(nobodys), nobodys));
    }
    expect((await rest(other.key, "GET", "/v1/usage")).status).toBe(200);
  });

  it.each([
    ["rotate", { overlap: 604_801 }],
    ["rotate", { overlap: -1 }],
    ["", { name: " " }],
    ["", { scopes: ["admin"] }],
    ["", { budget: { nano_usd: -1, period: "month" } }],
    ["", { budget: { nano_usd: 1.5, period: "month" } }],
    ["", { budget: { nano_usd: 1, period: "week" } }],
    ["", { limits: { minute: 0 } }],
  ])("takes no nonsense: %s %j", async (action, body) => {
    const path = `/v1/keys/${who.keyId}${action && `/${action}`}`;
    const method = action ? "POST" : "PATCH";
    await refused(who, () => send(path, { key: who.key, method, body: JSON.stringify(body) }), "invalid_input");
  });

  it("is never kept for a replay", async () => {
    const headers = { "Idempotency-Key": "again" };
    const rotate = () => send(`/v1/keys/${who.keyId}/rotate`, { key: who.key, body: "{}", headers });
    await refused(who, rotate, "invalid_header");
  });
});

describe("a key's budget at the doors", () => {
  const COST = priceOf({ input: 1_000, output: 500 });

  it("is not overspent by parallel calls, which say what is spent and when it begins anew", async () => {
    const budget = { nano_usd: 20 * COST, period: "month" };
    const { api_key, id } = await made(create(who.key, { scopes: ["chat"], budget }));
    const message = "How high is the tide? ".repeat(250);
    const chat = { message, model: "paid/tokens-1000-500", max_tokens: 500 };
    const replies = await Promise.all(Array.from({ length: 60 }, () => rest(api_key, "POST", "/v1/chat", chat)));
    const paid = replies.filter(({ status }) => status === 200);
    expect(paid.length).toBeGreaterThan(0);
    const no = replies.find(({ status }) => status !== 200);
    if (!no) throw new Error("nothing was refused");
    const problem = expectProblem(no, "budget_exceeded", [api_key]);
    expect(problem).toMatchObject({
      status: 402,
      key_id: id,
      budget_nano_usd: budget.nano_usd,
      budget_period: "month",
    });
    expect(String(problem.resets_at)).toMatch(/^\d{4}-\d\d-01T00:00:00/);
    const { keys } = (await rest(who.key, "GET", "/v1/keys")).body;
    const state = keys.find((key: { id: string }) => key.id === id).budget;
    expect(state).toMatchObject({ spent_nano: paid.length * COST, reserved_nano: 0 });
    expect(state.spent_nano).toBeLessThanOrEqual(budget.nano_usd);
    const free = await rest(api_key, "POST", "/v1/chat", { message: "tide?", model: "local/extractive" });
    expect(free.status).toBe(200);
  });
});

describe("nobody widens a key", () => {
  it("with its own: scopes, limits, budget and time end where the maker's do", async () => {
    const bounds = { limits: { minute: 50 }, budget: { nano_usd: 100, period: "total" }, expires_in: 600 };
    const scopes = ["account", "usage"];
    const small = await made(create(who.key, { ...bounds, scopes }));
    const mine = { ...who, key: small.api_key };
    const tries: [object, "exceeds_own_key" | "insufficient_scope"][] = [
      [{ scopes: ["usage", "chat"] }, "insufficient_scope"],
      [{ scopes: ["admin"] }, "insufficient_scope"],
      [{ limits: { minute: 51 } }, "exceeds_own_key"],
      [{ budget: { nano_usd: 101, period: "total" } }, "exceeds_own_key"],
      [{ expires_in: 6_000 }, "exceeds_own_key"],
    ];
    for (const [spec, code] of tries) {
      const body = JSON.stringify({ name: "wider", scopes: ["usage"], ...spec });
      await refused(mine, () => send("/v1/keys", { key: mine.key, body }), code, [mine.key]);
    }
    for (const body of ['{"limits":null}', '{"budget":null}', '{"budget":{"nano_usd":101,"period":"total"}}']) {
      const change = (id: string) => send(`/v1/keys/${id}`, { key: mine.key, method: "PATCH", body });
      await refused(mine, () => change(small.id), "exceeds_own_key");
    }
    await refused(
      mine,
      () => send(`/v1/keys/${who.keyId}/rotate`, { key: mine.key, body: "{}" }),
      "insufficient_scope",
    );
    const child = await made(create(mine.key, { scopes: ["usage"] }));
    expect(child).toMatchObject({ limits: { minute: 50 }, budget: { nano_usd: 100 }, expires_at: small.expires_at });
  });

  it("to `admin`, outside the account that owns the server, not even the operator", async () => {
    const admin = await owner();
    const body = (spec: object) => JSON.stringify({ name: "root", scopes: ["admin"], ...spec });
    const other = await account("enterprise", KEEPER);
    const tries: [string, object][] = [
      [who.key, {}],
      [who.key, { account: other.account }],
      [who.key, { scopes: ["account"], account: other.account }],
      [admin, { account: other.account }],
      [admin, { account: other.account, scopes: ["account", "admin"] }],
    ];
    for (const [key, spec] of tries) {
      await refused(other, () => send("/v1/keys", { key, body: body(spec) }), "insufficient_scope", [key]);
    }
    const { keys } = (await rest(admin, "GET", `/v1/keys?account=${other.account}`)).body;
    expect(JSON.stringify(keys)).not.toContain("admin");
    const own = await made(rest(admin, "POST", "/v1/keys", { name: "second", scopes: ["admin"] }));
    expect((await rest(own.api_key, "GET", `/v1/admin/accounts/${other.account}`)).status).toBe(200);
  });

  it("a key elsewhere that carries `admin` from before works, and makes no other", async () => {
    const { LEDGER } = env as unknown as Env;
    const { mintKey } = await import("../../src/auth/keys.ts");
    const { key, id, hash } = await mintKey(who.account);
    const spec = {
      id,
      hash,
      name: "old",
      user: "usr_old",
      scopes: ["admin", "account"],
      expiresAt: null,
      limits: null,
    };
    await LEDGER.get(LEDGER.idFromName(who.account)).createKey(spec);
    expect((await rest(key, "GET", `/v1/admin/accounts/${who.account}`)).status).toBe(200);
    await refused(who, () => send("/v1/keys", { key, body: '{"name":"n","scopes":["admin"]}' }), "insufficient_scope", [
      key,
    ]);
  });
});
