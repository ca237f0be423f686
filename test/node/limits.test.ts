import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startWaypost, type Waypost } from "./harness.ts";

/** Limits over real HTTP: how many get in, what the others are told, and that a refusal uses nothing. */

const ODD = { minute: 137, hour: 5_000, day: 50_000, monthlyTokens: 0 };
const ROOMY = { ...ODD, minute: 5_000 };

const vars = { PLANS: JSON.stringify({ odd: ODD, roomy: ROOMY }) };
let waypost: Waypost;
beforeAll(async () => {
  waypost = await startWaypost({ vars });
});
afterAll(() => waypost?.stop());

const send = (key: string, path: string, body?: object) =>
  fetch(waypost.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: `Bearer ${key}`, ...(body ? { "content-type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says
async function json(key: string, path: string, body?: object): Promise<any> {
  const response = await send(key, path, body);
  const parsed = await response.json();
  expect(response.status, JSON.stringify(parsed)).toBe(200);
  return parsed;
}

async function accountOn(plan: string): Promise<{ account: string; key: string }> {
  const { account } = await json(waypost.apiKey, "/v1/admin/accounts", { name: plan, plan });
  const { api_key: key } = await json(waypost.apiKey, "/v1/keys", { account, name: "first" });
  return { account, key };
}

/** Calls at the same time; how many were admitted, and the refusals. */
async function burst(key: string, calls: number): Promise<{ admitted: number; refused: Response[] }> {
  const responses = await Promise.all(
    Array.from({ length: calls }, async () => {
      const response = await send(key, "/v1/sessions");
      await response.arrayBuffer();
      return response;
    }),
  );
  const refused = responses.filter(({ status }) => status === 429);
  const admitted = responses.filter(({ status }) => status === 200).length;
  expect(admitted + refused.length).toBe(calls);
  return { admitted, refused };
}

const rpc = (key: string, name: string) =>
  fetch(`${waypost.url}/mcp`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      accept: "application/json, text/event-stream",
      "mcp-protocol-version": "2025-11-25",
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name, arguments: {} } }),
  });

describe("the free plan", () => {
  test("admits ten calls a minute over both doors together, and tells the 11th how long it takes from the first", async () => {
    const { key } = await accountOn("free");
    const before = Date.now();
    for (let i = 0; i < 5; i++) {
      expect((await send(key, "/v1/sessions")).status).toBe(200);
      if (i === 0) await sleep(1_500);
    }
    for (let i = 0; i < 5; i++) expect(await (await rpc(key, "list_sessions")).text()).not.toContain("rate_limited");
    const refused = await send(key, "/v1/sessions");
    const sinceFirst = Date.now() - before;
    expect(refused.status).toBe(429);
    const wait = Number(refused.headers.get("retry-after"));
    // The first call was counted a moment after `before`: the time left is this, or up to a second more.
    expect(wait).toBeGreaterThanOrEqual(Math.ceil((60_000 - sinceFirst) / 1_000));
    expect(wait).toBeLessThanOrEqual(Math.ceil((60_000 - sinceFirst) / 1_000) + 1);
    expect(wait).toBeLessThanOrEqual(59);
    expect(await refused.json()).toMatchObject({ code: "rate_limited", limit: "minute", retry_after: wait });
    const overMcp = await (await rpc(key, "list_sessions")).text();
    expect(overMcp).toContain("rate_limited");
  });

  test("counts no call that is not acceptable", async () => {
    const { key } = await accountOn("free");
    expect((await send(key, "/v1/search", { words: "misspelt" })).status).toBe(400);
    expect((await send(key, "/v1/admin/accounts/any")).status).toBe(403);
    expect((await send(`${key}x`, "/v1/sessions")).status).toBe(401);
    expect((await send(key, "/v1/sessions")).headers.get("x-ratelimit-remaining")).toBe("9");
  });
});

describe("1,000 calls at once", () => {
  test("on a plan of 137 a minute: exactly 137 get in", async () => {
    const { admitted, refused } = await burst((await accountOn("odd")).key, 1_000);
    expect(admitted).toBe(137);
    const waits = refused.map((response) => Number(response.headers.get("retry-after")));
    expect(Math.min(...waits)).toBeGreaterThan(40);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60);
  });

  test("with a key limited to 41 a minute: exactly 41 get in, and usage counts those alone", async () => {
    const { account, key } = await accountOn("roomy");
    const limited = await json(waypost.apiKey, "/v1/keys", { account, name: "narrow", limits: { minute: 41 } });
    expect((await burst(limited.api_key, 1_000)).admitted).toBe(41);
    const usage = await json(key, "/v1/usage");
    expect(usage.by_key[limited.id]).toMatchObject({ calls: 41, errors: 0 });
    expect(usage.total.calls).toBe(42);
  });
});

test("a limit stays reached when the server is killed, and refused calls used nothing of it", async () => {
  const { key } = await accountOn("odd");
  expect((await burst(key, 300)).admitted).toBe(137);
  await sleep(1_500); // Counters are written within a second.
  await waypost.kill();
  await waypost.restart();
  expect((await burst(key, 20)).admitted).toBe(0);

  // With more calls a minute the account can ask for itself what was counted.
  vars.PLANS = JSON.stringify({ odd: ROOMY });
  await waypost.restart();
  const usage = await json(key, "/v1/usage");
  expect(usage.total).toMatchObject({ calls: 138, errors: 0 });
  expect(
    usage.limits.map(({ window, limit, remaining }: Record<string, unknown>) => [window, limit, remaining]),
  ).toEqual([
    ["minute", 5_000, 5_000 - 138],
    ["hour", 5_000, 5_000 - 138],
    ["day", 50_000, 50_000 - 138],
  ]);
});
