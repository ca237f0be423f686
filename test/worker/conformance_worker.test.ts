import { env } from "cloudflare:test";
import { expect, it } from "vitest";
import worker from "../conformance/worker.ts";

/** Should somebody deploy the fixtures by hand, they are of no use: no configuration has the environment that they serve in. */
it.each(["production", "staging", "development", "test", ""])(
  "the fixtures serve nothing in %j",
  async (environment) => {
    const ctx = { waitUntil: () => {}, passThroughOnException: () => {}, props: {} } as unknown as ExecutionContext;
    for (const path of ["/mcp", "/v1/usage", "/conformance/streams", "/setup"]) {
      const request = new Request(`https://waypost.test${path}`, { method: "POST" });
      const response = await worker.fetch(
        request as Parameters<typeof worker.fetch>[0],
        { ...env, ENVIRONMENT: environment },
        ctx,
      );
      expect(response.status).toBe(503);
    }
  },
);
