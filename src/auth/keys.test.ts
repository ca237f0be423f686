import { describe, expect, it } from "vitest";
import { accountOfKey, hashKey, mintKey, newAccountId } from "./keys.ts";

describe("API keys", () => {
  it("carry their account and survive a round trip", async () => {
    const account = newAccountId();
    const minted = await mintKey(account);
    expect(accountOfKey(minted.key)).toBe(account);
    expect(await hashKey(minted.key)).toBe(minted.hash);
    expect(minted.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("are recognised as damaged when one character changes, is missing or is added", async () => {
    const { key } = await mintKey(newAccountId());
    for (let i = 0; i < key.length; i++) {
      expect(accountOfKey(key.slice(0, i) + key.slice(i + 1))).toBeNull();
      const other = key[i] === "a" ? "b" : "a";
      expect(accountOfKey(key.slice(0, i) + other + key.slice(i + 1))).toBeNull();
    }
    expect(accountOfKey(`${key}0`)).toBeNull();
    expect(accountOfKey(key.toUpperCase())).toBeNull();
  });
});
