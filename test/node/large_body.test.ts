import { afterAll, beforeAll, expect, it } from "vitest";
import { startWaypost, type Waypost } from "./harness.ts";

let waypost: Waypost;
beforeAll(async () => {
  waypost = await startWaypost();
});
afterAll(() => waypost?.stop());

it("a body that is too large is refused in words that a client reads which writes all of it first", async () => {
  const body = JSON.stringify({ query: "x".repeat(17 * 1024 * 1024) });
  const headers = { authorization: `Bearer ${waypost.apiKey}`, "content-type": "application/json" };
  for (let i = 0; i < 6; i++) {
    const response = await fetch(`${waypost.url}/v1/search`, { method: "POST", headers, body });
    expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([413, "payload_too_large"]);
  }
});
