import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { confirmRules } from "../../src/tools/confirm_rules.ts";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, rest } from "./client.ts";
import { asking2025, asking2026, codeOf, no } from "./elicit_clients.ts";
import { configureModels, servedBy } from "./provider.ts";

configureModels();
(env as unknown as Env).CONFIRM = JSON.stringify({ delete: "require", spend: "require", spend_above_usd: "0" });

async function library() {
  const { key } = await account();
  const documents = [{ id: "notes", text: "Tea is brewed at eighty degrees." }];
  expect((await rest(key, "POST", "/v1/documents", { documents })).status).toBe(200);
  return key;
}

const CHAT = { message: "How much?", model: "paid/tokens-7-3" };

describe.each(DOORS)("where the operator requires a person's word, over %s", (door) => {
  it("a client that cannot ask is told which argument says it", async () => {
    const key = await library();
    const refused = await callThrough(door, key, "delete_document", { id: "notes" });
    expect(refused.code).toBe("confirmation_required");
    expect(refused.problem).toMatchObject({ status: 428, argument: "confirm", retry: "never" });
    expect(refused.problem?.next).toContain("`confirm: true`");
    if (door !== "rest") expect(refused.text).toContain("`confirm: true`");
    expect((await rest(key, "POST", "/v1/fetch", { id: "notes" })).status).toBe(200);
    expect((await callThrough(door, key, "delete_document", { id: "notes", confirm: true })).code).toBe("ok");
  });

  it("nothing is spent before", async () => {
    const { key } = await account();
    const before = await servedBy("tokens-7-3");
    const refused = await callThrough(door, key, "chat", CHAT);
    expect([refused.code, refused.cost]).toEqual(["confirmation_required", 0]);
    expect(await servedBy("tokens-7-3")).toBe(before);
    expect((await callThrough(door, key, "chat", { ...CHAT, model: "local/extractive" })).code).toBe("ok");
    expect((await callThrough(door, key, "chat", { ...CHAT, confirm: true })).code).toBe("ok");
    expect(await servedBy("tokens-7-3")).toBe(before + 1);
  });
});

it.each([
  ["2026", asking2026],
  ["2025", asking2025],
] as const)("a client of %s that can ask does, whatever its agent says", async (_, connect) => {
  const key = await library();
  const client = await connect(key, () => no);
  expect(codeOf(await client.call("delete_document", { id: "notes", confirm: true }))).toBe("declined");
  expect(client.put).toHaveLength(1);
  await client.close();
});

describe("the setting", () => {
  it("is `ask`, above a dollar, when nothing is set", () => {
    const rules = { delete: "ask", spend: "ask", merge: "ask", spendAboveNano: 1_000_000_000 };
    expect(confirmRules({}, "a")).toEqual(rules);
  });

  it("is changed for everybody, then for an account", () => {
    const accounts = { a: { delete: "off", spend_above_usd: "0.000000001" } };
    const set = { CONFIRM: JSON.stringify({ delete: "require", spend_above_usd: "12.5", accounts }) };
    expect(confirmRules(set, "a")).toMatchObject({ delete: "off", spend: "ask", spendAboveNano: 1 });
    expect(confirmRules(set, "b")).toMatchObject({ delete: "require", spendAboveNano: 12_500_000_000 });
    expect(confirmRules(set, "__proto__")).toMatchObject({ delete: "require" });
  });

  it.each(["[]", "{", '{"delete":"maybe"}', '{"merge":"require"}', '{"spend_above_usd":1}', '{"spend":"ask","x":1}'])(
    "%s is refused by name",
    (CONFIRM) => {
      expect(() => confirmRules({ CONFIRM }, "a")).toThrow(/^not_configured: CONFIRM/);
    },
  );
});
