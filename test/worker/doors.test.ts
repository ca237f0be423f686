import { describe, expect, it } from "vitest";
import { restRoutes } from "../../src/rest_routes.ts";
import { account, agent, owner, rest } from "./client.ts";
import { configureModels, priceOf } from "./provider.ts";
import { sendMcp, toolCall } from "./refusal.ts";

configureModels();

describe("the server itself", () => {
  it("is up and its stores answer", async () => {
    expect(await rest(null, "GET", "/health")).toMatchObject({
      status: 200,
      body: { status: "ok", environment: "test" },
    });
    const ready = await rest(null, "GET", "/ready");
    expect(ready).toMatchObject({
      status: 200,
      body: { stores: { directory: "ok", ledger: "ok", vault: "ok", blobs: "ok" } },
    });
  });

  it("describes every tool's route in OpenAPI 3.1", async () => {
    const { body } = await rest(null, "GET", "/openapi.json");
    expect(body.openapi).toBe("3.1.0");
    expect(body.paths["/v1/search"].post.operationId).toBe("search");
    expect(body.paths["/v1/usage"].get.parameters.map((p: { name: string }) => p.name)).toEqual([
      "month",
      "recent",
      "from",
      "to",
      "group_by",
      "call_id",
    ]);
  });
});

describe("the OpenAPI document", () => {
  it("has every schema in full, with nothing to resolve that is not there", async () => {
    const { body } = await rest(null, "GET", "/openapi.json");
    const pointers = [...JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1] as string);
    expect(pointers.length).toBeGreaterThan(0);
    for (const pointer of pointers) {
      expect(pointer.split("/").reduce((node, name) => node?.[name], body)).toBeDefined();
    }
    const { schema } = body.paths["/v1/usage"].get.responses["200"].content["application/json"];
    expect(schema.properties.by_model.additionalProperties.properties).toHaveProperty("cost_nano");
    expect(schema.properties.recent.items.required).toContain("credit_nano");
  });

  it("has every route of /v1 and no other, and each of them answers", async () => {
    const { body } = await rest(null, "GET", "/openapi.json");
    const routes = Object.entries(body.paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => [method.toUpperCase(), path.replace(/\{\w+\}/g, "x")] as const),
    );
    const own = restRoutes.filter(({ path }) => path.startsWith("/v1"));
    expect(routes.map(([method, path]) => `${method} ${path}`).sort()).toEqual(
      own.map(({ method, path }) => `${method} ${path.replace(/:\w+(\{[^}]*\})?/g, "x")}`).sort(),
    );
    for (const [method, path] of routes) {
      const reply = await rest(null, method, path, method === "POST" ? {} : undefined);
      expect(reply.status, `${method} ${path}`).toBe(401);
    }
  });
});

describe("headers", () => {
  it("tell request, call limits and cost the same over both doors, also to clients of 2025", async () => {
    const { key } = await account("enterprise", { limits: { minute: 100 } });
    const input = { message: "hi", model: "paid/tokens-7-3" };
    const replies = [
      await rest(key, "POST", "/v1/chat", input, { "X-Request-Id": "mine-0" }),
      await sendMcp(key, toolCall("chat", input), { "X-Request-Id": "mine-1" }),
      await sendMcp(key, toolCall("chat", input, true), { "X-Request-Id": "mine-2" }),
    ];
    for (const [i, { status, headers }] of replies.entries()) {
      expect(status).toBe(200);
      expect(headers.get("x-request-id")).toBe(`mine-${i}`);
      expect(headers.get("x-waypost-cost-nano-usd")).toBe(String(priceOf({ input: 7, output: 3 })));
      expect(headers.get("x-ratelimit-limit")).toBe("100");
      expect(headers.get("x-ratelimit-remaining")).toBe(String(99 - i));
      expect(headers.get("ratelimit")).toContain('"minute";r=');
    }
  });
});

describe("limits on the free plan", () => {
  it("refuse the 11th call of a minute with an exact Retry-After, over REST and MCP alike", async () => {
    const { key } = await account("free");
    const started = Date.now();
    for (let i = 0; i < 10; i++) {
      const reply = await rest(key, "GET", "/v1/usage");
      expect(reply.status).toBe(200);
      expect(reply.headers.get("x-ratelimit-remaining")).toBe(String(9 - i));
    }
    const refused = await rest(key, "GET", "/v1/usage");
    expect(refused).toMatchObject({ status: 429, body: { code: "rate_limited", limit: "minute" } });
    const wait = Number(refused.headers.get("retry-after"));
    expect(wait).toBe(refused.body.retry_after);
    expect(wait * 1_000).toBeGreaterThan(60_000 - (Date.now() - started) - 1_000);
    expect(wait).toBeLessThanOrEqual(60);
    const client = await agent(key);
    const result = await client.callTool({ name: "usage", arguments: {} });
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result.content)).toContain("rate_limited");
    await client.close();
  });
});

describe("an account that moves to another plan", () => {
  it("has its limits from the next call on, and keeps what it used", async () => {
    const admin = await owner();
    const { account: id, key } = await account("free");
    for (let i = 0; i < 10; i++) expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
    expect((await rest(key, "GET", "/v1/usage")).status).toBe(429);
    const move = (plan: string) => rest(admin, "POST", `/v1/admin/accounts/${id}/plan`, { plan });
    expect(await move("gold")).toMatchObject({ status: 400, body: { code: "invalid_input" } });
    expect(await move("pro")).toMatchObject({ status: 200, body: { account: id, plan: "pro" } });
    const reply = await rest(key, "GET", "/v1/usage");
    expect(reply).toMatchObject({ status: 200, body: { plan: "pro", total: { calls: 11 } } });
    expect(reply.headers.get("x-ratelimit-remaining")).toBe("49");
    expect((await rest(key, "POST", `/v1/admin/accounts/${id}/plan`, { plan: "enterprise" })).status).toBe(403);
    expect((await rest(admin, "POST", "/v1/admin/accounts/nobody/plan", { plan: "pro" })).status).toBe(404);
  });
});
