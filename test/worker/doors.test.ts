import { describe, expect, it } from "vitest";
import { account, agent, rest } from "./client.ts";

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
    expect(body.paths["/v1/usage"].get.parameters.map((p: { name: string }) => p.name)).toEqual(["month", "recent"]);
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
