import { abortAllDurableObjects, env } from "cloudflare:test";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { account, owner, type Reply, rest } from "./client.ts";
import { configureModels, priceOf } from "./provider.ts";

/** Accounts whose plan was taken out of PLANS before a restart. */

configureModels();
const settings = env as Partial<Env>;
const RATE = { minute: 60, hour: 1_000, day: 10_000 };
const restart = async (plans: string | undefined) => {
  settings.PLANS = plans;
  await abortAllDurableObjects();
  // So long a ledger that ended may still be asked in this isolate.
  await new Promise((resolve) => setTimeout(resolve, 1_001));
};
const WITH = JSON.stringify({ big: { ...RATE, monthlyTokens: 5_000 } });

beforeEach(() => restart(WITH));
afterEach(() => restart(undefined));

const expectGone = ({ status, body }: Reply, id: string) => {
  expect([status, body.code]).toEqual([503, "not_configured"]);
  expect(body.detail).toContain('"big"');
  expect(body.detail).toContain("PLANS");
  expect(body.detail).toContain(`/v1/admin/accounts/${id}/plan`);
};
const chat = (key: string) => rest(key, "POST", "/v1/chat", { message: "Go on.", model: "paid/tokens-7-3" });
const ROUTES: [method: string, path: string, body?: object][] = [
  ["GET", "/v1/me"],
  ["GET", "/v1/quota"],
  ["GET", "/v1/balance"],
  ["GET", "/v1/budgets"],
  ["GET", "/v1/usage"],
  ["GET", "/v1/usage.csv"],
  ["GET", "/v1/plans"],
  ["GET", "/v1/notices"],
  ["GET", "/v1/sessions"],
  ["POST", "/v1/usage/events", { events: [{}] }],
];

it("are told which plan is gone and both ways out, by every route, near the ledger and far from it", async () => {
  const { account: id, key } = await account("big", {
    scopes: ["chat", "usage", "account", "usage:ingest", "sync"],
  });
  expect((await chat(key)).status).toBe(200);
  await restart(undefined);
  for (let round = 0; round < 2; round++) {
    expectGone(await chat(key), id);
    for (const [method, path, body] of ROUTES) expectGone(await rest(key, method, path, body), id);
  }
  await restart(WITH);
  expect((await chat(key)).status).toBe(200);
});

it("are looked after by the operator all the same, who moves them to another plan", async () => {
  const { account: id, key } = await account("big");
  expect((await chat(key)).status).toBe(200);
  await restart(undefined);
  const admin = await owner();
  const at = `/v1/admin/accounts/${id}`;
  expect((await rest(admin, "GET", at)).body).toMatchObject({ plan: "big", books: { consistent: true } });
  expect((await rest(admin, "POST", `${at}/credit`, { id: "c", nano_usd: 5 })).body.balance_nano).toBe(5);
  expect((await rest(admin, "POST", "/v1/keys", { account: id, name: "another" })).status).toBe(200);
  expectGone(await chat(key), id);
  expect((await rest(admin, "POST", `${at}/plan`, { plan: "big" })).body.code).toBe("invalid_input");
  expect((await rest(admin, "POST", `${at}/plan`, { plan: "free" })).body.plan).toBe("free");
  expect((await chat(key)).body.cost).toMatchObject({
    funding: "included",
    nano_usd: priceOf({ input: 7, output: 3 }),
  });
});

it("leave an operator on such a plan the admin routes, and nothing else", async () => {
  const admin = await owner();
  const { body: me } = await rest(admin, "GET", "/v1/me");
  const at = `/v1/admin/accounts/${me.account.id}/plan`;
  expect((await rest(admin, "POST", at, { plan: "big" })).status).toBe(200);
  await restart(undefined);
  expectGone(await chat(admin), me.account.id);
  expectGone(await rest(admin, "GET", "/v1/me"), me.account.id);
  expectGone(await rest(admin, "POST", "/v1/keys", { name: "another" }), me.account.id);
  expect((await rest(admin, "POST", "/v1/admin/accounts", { name: "new", plan: "free" })).status).toBe(200);
  expect((await rest(admin, "POST", at, { plan: "enterprise" })).status).toBe(200);
  expect((await chat(admin)).status).toBe(200);
});
