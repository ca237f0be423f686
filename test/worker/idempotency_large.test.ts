import { describe, expect, it } from "vitest";
import { account, rest } from "./client.ts";
import { configureModels, servedBy } from "./provider.ts";

configureModels();

/** Answers that are told again for an idempotency key, and those that are too large for it. */

const CHAT = "/v1/chat/completions";
const ask = (letters: number, stream: boolean) => ({
  model: "paid/echo",
  messages: [{ role: "user", content: "é".repeat(letters) }],
  stream,
});

describe.each([
  ["whole", false, 900_000],
  ["streamed", true, 300_000],
] as const)("an answer that comes %s", (_, stream, letters) => {
  it("and is too large to be kept is told once, and charged once", async () => {
    const { key } = await account();
    const before = await servedBy("echo");
    const headers = { "Idempotency-Key": "large" };
    const first = await rest(key, "POST", CHAT, ask(letters, stream), headers);
    expect(first.status).toBe(200);
    const cost = (await rest(key, "GET", "/v1/usage")).body.total.cost_nano;
    expect(cost).toBeGreaterThan(0);
    for (let i = 0; i < 2; i++) {
      const again = await rest(key, "POST", CHAT, ask(letters, stream), headers);
      expect(again.status).toBe(409);
      expect(JSON.stringify(again.body)).toContain("idempotency_not_kept");
    }
    const other = await rest(key, "POST", CHAT, ask(letters + 1, stream), headers);
    expect(JSON.stringify(other.body)).toContain("idempotency_conflict");
    expect((await servedBy("echo")) - before).toBe(1);
    expect((await rest(key, "GET", "/v1/usage")).body).toMatchObject({
      total: { cost_nano: cost },
      balance: { reserved_nano: 0 },
    });
  });

  it("and just fits is told again as it was", async () => {
    const { key } = await account();
    const before = await servedBy("echo");
    const headers = { "Idempotency-Key": "fits" };
    const fits = Math.floor(letters * 0.8);
    const first = await rest(key, "POST", CHAT, ask(fits, stream), headers);
    const again = await rest(key, "POST", CHAT, ask(fits, stream), headers);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    expect((await servedBy("echo")) - before).toBe(1);
  });
});
