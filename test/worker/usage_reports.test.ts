import { env, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Env } from "../../src/env.ts";
import { parseCsv } from "../csv.ts";
import { callThrough, DOORS } from "./both_doors.ts";
import { account, agent, owner, type Reply, rest } from "./client.ts";
import { configureModels, priceOf } from "./provider.ts";

configureModels();

/** The newest call that is not one of the report's own. */
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever the server says
const lastCall = async (key: string): Promise<any> =>
  (await rest(key, "GET", "/v1/usage?recent=5")).body.recent.find(({ tool }: { tool: string }) => tool !== "usage");

const thisMonth = () => new Date().toISOString().slice(0, 7);
const ask = (model: string, session_id?: string) => ({
  message: "How high is the tide?",
  model: `paid/${model}`,
  ...(session_id ? { session_id } : {}),
});

async function chatted() {
  const made = await account();
  for (const [model, session] of [
    ["tokens-7-3", "s-1"],
    ["tokens-7-3", "s-1"],
    ["tokens-1000-500", "-2"],
    ["tokens-1-1"],
  ]) {
    const reply = await rest(made.key, "POST", "/v1/chat", ask(model as string, session), {
      "User-Agent": "tide-app/2.1",
    });
    expect(reply.status).toBe(200);
  }
  const cost =
    2 * priceOf({ input: 7, output: 3 }) + priceOf({ input: 1000, output: 500 }) + priceOf({ input: 1, output: 1 });
  return { ...made, cost };
}

describe("GET /v1/usage/report", () => {
  it("splits a range by any dimension, and every split comes to the same", async () => {
    const { key, keyId, cost } = await chatted();
    const report = async (query: string) => (await rest(key, "GET", `/v1/usage/report?${query}&tool=chat`)).body;
    for (const by of ["day", "month", "model", "tool", "key", "session", "user", "client"]) {
      const { groups, total, others } = await report(`group_by=${by}`);
      expect(total).toMatchObject({ calls: 4, errors: 0, cost_nano: cost });
      expect(groups.reduce((sum: number, group: { cost_nano: number }) => sum + group.cost_nano, 0)).toBe(cost);
      expect(others).toBeNull();
    }
    const { groups } = await report("group_by=session");
    expect(groups.map(({ session, calls }: { session: string; calls: number }) => [session, calls])).toEqual([
      ["-2", 1],
      ["s-1", 2],
      [null, 1],
    ]);
    expect((await report("group_by=key&group_by=client")).groups).toMatchObject([
      { key: keyId, client: "tide-app", calls: 4 },
    ]);
    expect((await report("session=s-1")).total).toMatchObject({ calls: 2, input_tokens: 14, output_tokens: 6 });
    expect((await report("group_by=key,client")).groups).toEqual((await report("group_by=key&group_by=client")).groups);
    expect((await report("group_by=session&limit=1")).others).toMatchObject({ groups: 2, calls: 3 });
    expect((await report("from=2020-01&to=2020-12")).total.calls).toBe(0);
  });

  it.each([
    "from=2024-01-01&to=2025-02-02",
    "from=2026-02-30",
    "from=2026-02-02&to=2026-02-01",
    "group_by=colour",
    "group_by=1;DROP",
  ])("refuses %s", async (query) => {
    const { key } = await account();
    for (const path of ["/v1/usage/report", "/v1/usage", "/v1/usage.csv"]) {
      expect((await rest(key, "GET", `${path}?${query}`)).body.code).toBe("invalid_input");
    }
  });

  it("is the same in `usage`, with the forecast, and in an agent's words", async () => {
    const { key, cost } = await chatted();
    const { body } = await rest(key, "GET", `/v1/usage?group_by=session&month=${thisMonth()}`);
    expect(body.groups.total.cost_nano).toBe(cost);
    expect(body.forecast.cost_nano).toBe(
      Number((BigInt(cost) * BigInt(body.forecast.hours_in_month)) / BigInt(body.forecast.hours_so_far)),
    );
    const client = await agent(key);
    const told = await client.callTool({ name: "usage", arguments: { group_by: ["session"], recent: 0 } });
    expect((told.content as { text: string }[])[0]?.text).toMatch(/- s-1: 2 calls/);
    await client.close();
  });
});

describe("one call", () => {
  it("is itemised to the nano-USD, over both doors, for its own account only", async () => {
    const { key } = await account();
    const input = ask("tokens-12345-678", "s-9");
    const reply = await rest(key, "POST", "/v1/chat", input);
    const id = reply.body.cost.call_id;
    expect((await lastCall(key)).id).toBe(id);
    const { status, body } = await rest(key, "GET", `/v1/usage/calls/${id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: "ok",
      tool: "chat",
      model: "paid/tokens-12345-678",
      session_id: "s-9",
      funding: "included",
      markup: "1.03",
      cost_nano: priceOf({ input: 12_345, output: 678 }),
      price_version: reply.body.cost.price_version,
      hold: { held_nano: 0, released_nano: 0 },
      estimated: false,
      plan_tokens: 13_023,
    });
    expect(body.items).toMatchObject([
      { class: "input", tokens: 12_345, price_pico_usd: 3_000_000, exact_usd: "0.03814605" },
      { class: "output", tokens: 678, price_pico_usd: 15_000_000, exact_usd: "0.0104751" },
    ]);
    expect(body.items.reduce((sum: number, item: { cost_nano: number }) => sum + item.cost_nano, 0)).toBe(
      body.cost_nano,
    );
    expect(body.entries.map(({ kind }: { kind: string }) => kind)).toEqual(["hold", "settle"]);
    expect(body.hold.held_tokens).toBeGreaterThan(body.hold.granted_output_tokens);
    const client = await agent(key);
    const told = await client.callTool({ name: "usage", arguments: { call_id: id } });
    expect((told.structuredContent as { call: unknown }).call).toEqual(body);
    await client.close();
    const other = await account();
    expect((await rest(other.key, "GET", `/v1/usage/calls/${id}`)).body.code).toBe("not_found");
  });

  it("that cost nothing, that failed, and that credit paid, are told as they were", async () => {
    const { account: id, key } = await account("free");
    const last = async () => (await rest(key, "GET", `/v1/usage/calls/${(await lastCall(key)).id}`)).body;
    await rest(key, "POST", "/v1/search", { query: "tide" });
    expect(await last()).toMatchObject({
      tool: "search",
      status: "ok",
      cost_nano: 0,
      items: [],
      hold: null,
      entries: [],
    });
    await rest(key, "POST", "/v1/chat", ask("fail-500"));
    expect(await last()).toMatchObject({ tool: "chat", status: "provider_failed", cost_nano: 0, items: [] });
    await rest(key, "POST", "/v1/chat", ask("tokens-999000-1000"));
    await rest(await owner(), "POST", `/v1/admin/accounts/${id}/credit`, { id: "c-1", nano_usd: 10_000_000_000 });
    await rest(key, "POST", "/v1/chat", ask("tokens-7-3"));
    const paid = await last();
    const cost = priceOf({ input: 7, output: 3 });
    expect(paid).toMatchObject({
      funding: "credit",
      cost_nano: cost,
      credit_nano: cost,
      plan_tokens: 0,
      overrun_nano: 0,
    });
    expect(paid.hold.held_nano - paid.hold.released_nano).toBe(cost);
  });

  it("is found by its record when its ledger has forgotten it", async () => {
    const { account: id, key } = await account();
    await rest(key, "POST", "/v1/search", { query: "tide" });
    const call = await lastCall(key);
    // The report's own call writes what was pending; then the object starts again with an empty list of newest calls.
    await rest(key, "GET", "/v1/usage/report");
    const stub = (env as unknown as Env).LEDGER.get((env as unknown as Env).LEDGER.idFromName(id));
    await runInDurableObject(stub, async (_, { storage }) => {
      const { UsageTable } = await import("../../src/ledger/usage_table.ts");
      const table = new UsageTable(storage.sql);
      const begun = Date.parse(call.at);
      expect(table.callBegunAt(call.id, begun)).toMatchObject({ id: call.id, tool: "search" });
      expect(table.callBegunAt(call.id, begun - 86_400_000)).toBeUndefined();
    });
  });
});

describe("CSV", () => {
  it("has every group, whole and decimal amounts, and no formula", async () => {
    const { key, cost } = await chatted();
    const { status, headers, body } = await rest(key, "GET", "/v1/usage.csv?tool=chat");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(headers.get("x-ratelimit-limit")).not.toBeNull();
    const [head, ...rows] = parseCsv(body);
    expect(head).toEqual([
      ..."day,tool,model,key,session,user,client,calls,errors,input_tokens,output_tokens,cost_nano_usd,cost_usd".split(
        ",",
      ),
    ]);
    const column = (name: string) => rows.map((row) => row[head?.indexOf(name) as number] as string);
    expect(column("cost_nano_usd").reduce((sum, nano) => sum + Number(nano), 0)).toBe(cost);
    expect(column("cost_usd").map((usd) => String(Number(usd.replace(".", ""))))).toEqual(column("cost_nano_usd"));
    expect(new Set(column("session"))).toEqual(new Set(["", "s-1", "'-2"]));
    const accepted = await rest(key, "GET", "/v1/usage?group_by=session&tool=chat", undefined, { Accept: "text/csv" });
    expect(parseCsv(accepted.body).map(([session, calls]) => `${session}:${calls}`)).toEqual([
      "session:calls",
      ":1",
      "'-2:1",
      "s-1:2",
    ]);
  });

  it("is sent page by page, whole, however much there is", async () => {
    const { account: id, key } = await account();
    const stub = (env as unknown as Env).LEDGER.get((env as unknown as Env).LEDGER.idFromName(id));
    await runInDurableObject(stub, async (_, { storage }) => {
      storage.sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 6999)
         INSERT INTO tally SELECT '${thisMonth()}-01', 'chat', 'm', 'k', 's-' || i, '', '', 1, 0, 1, 1, i FROM n`,
      );
    });
    const rows = parseCsv((await rest(key, "GET", "/v1/usage.csv?tool=chat")).body).slice(1);
    expect(rows.length).toBe(7_000);
    expect(new Set(rows.map((row) => row[4])).size).toBe(7_000);
    expect(rows.reduce((sum, row) => sum + Number(row[11]), 0)).toBe((6_999 * 7_000) / 2);
  });

  it("refuses as any call does, and takes no idempotency key", async () => {
    const { key } = await account("enterprise", { scopes: ["search"] });
    expect((await rest(key, "GET", "/v1/usage.csv")).body.code).toBe("insufficient_scope");
    expect((await rest(null, "GET", "/v1/usage.csv")).status).toBe(401);
    const { key: good } = await account();
    const repeated = await rest(good, "GET", "/v1/usage.csv", undefined, { "Idempotency-Key": "k" });
    expect(repeated.body.code).toBe("invalid_header");
  });
});

describe("GET /v1/quota", () => {
  it("says what is left in a small answer", async () => {
    const { key } = await account("basic");
    await rest(key, "POST", "/v1/chat", ask("tokens-1000-500"));
    const { body } = await rest(key, "GET", "/v1/quota");
    expect(body).toMatchObject({
      plan: "basic",
      tokens: { included: 10_000_000, used: 1_500, remaining: 9_998_500 },
      balance: { credit_nano: 0, available_nano: 0 },
      budgets: [],
    });
    expect(body.limits[0]).toMatchObject({ window: "minute", limit: 30, remaining: 29 });
    expect(JSON.stringify(body).length).toBeLessThan(800);
  });

  it("names the budgets that hold the caller, and no others; so does usage", async () => {
    const { key } = await account("enterprise", { scopes: ["account", "chat", "usage"] });
    const limits = { scopes: ["chat", "usage"], budget: { nano_usd: 5, period: "total" } };
    const { body: mine } = await rest(key, "POST", "/v1/keys", { name: "mine", ...limits });
    const { body: other } = await rest(key, "POST", "/v1/keys", { name: "other", ...limits });
    const everybodys = { nano_usd: 1_000_000_000, period: "month" };
    await rest(key, "POST", "/v1/budgets/all", everybodys);
    await rest(key, "POST", "/v1/budgets/soft", { ...everybodys, kind: "soft" });
    const refused = await rest(mine.api_key, "POST", "/v1/chat", ask("tokens-1000-500"));
    expect(refused.body).toMatchObject({ code: "budget_exceeded", budget_id: mine.id });
    const { body } = await rest(mine.api_key, "GET", "/v1/quota");
    const none = { spent_nano: 0, reserved_nano: 0 };
    expect(body.budgets).toHaveLength(3);
    expect(body.budgets).toMatchObject([
      { id: "all", kind: "hard", ...everybodys, ...none, resets_at: expect.stringMatching(/-01T00:00:00/) },
      { id: mine.id, key_id: mine.id, kind: "hard", nano_usd: 5, ...none, resets_at: null },
      { id: "soft", kind: "soft", ...none },
    ]);
    expect(JSON.stringify(body)).not.toContain(other.id);
    const { body: usage } = await rest(mine.api_key, "GET", "/v1/usage");
    expect(usage.budgets).toEqual([
      `${mine.id} (hard): $0.000000000 spent and $0.000000000 held of $0.000000005 in all.`,
      expect.stringMatching(/^all \(hard\): .* a month, until /),
    ]);
  });

  it("uses up none of the calls it tells of, and is there when they are used up; too many of it are refused", async () => {
    const { key } = await account("free");
    for (let i = 0; i < 11; i++) expect((await rest(key, "GET", "/v1/quota")).status).toBe(200);
    for (let i = 0; i < 10; i++) expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
    expect((await rest(key, "GET", "/v1/usage")).body.code).toBe("rate_limited");
    const full = await rest(key, "GET", "/v1/quota");
    expect(full.body.limits[0]).toMatchObject({ window: "minute", limit: 10, remaining: 0 });
    expect(full.headers.get("x-ratelimit-remaining")).toBe("0");
    const more = await Promise.all(Array.from({ length: 60 }, () => rest(key, "GET", "/v1/quota")));
    expect(more.filter(({ status }) => status === 200)).toHaveLength(48);
    const { headers, body } = more.find(({ status }) => status === 429) as Reply;
    expect(body).toMatchObject({ code: "rate_limited", limit: "minute", tool: "quota" });
    expect(headers.get("retry-after")).toBe(String(body.retry_after));
  });
});

describe.each(DOORS)("what a chat says of its money over %s", (door) => {
  it("is what was posted, and the same for its repetition", async () => {
    const { key } = await account("basic");
    const first = await callThrough(door, key, "chat", ask("tokens-1000-500"), {
      idempotencyKey: "once",
      stream: true,
    });
    expect(first.data.cost).toMatchObject({ nano_usd: priceOf({ input: 1000, output: 500 }), funding: "included" });
    expect(first.data.left).toMatchObject({ plan_tokens: 9_998_500, credit_nano: 0 });
    await callThrough(door, key, "chat", ask("tokens-1000-500"));
    const again = await callThrough(door, key, "chat", ask("tokens-1000-500"), { idempotencyKey: "once" });
    expect(again.data).toEqual(first.data);
    if (door === "rest") return;
    expect(JSON.parse(first.raw)._meta).toMatchObject({
      "waypost/funding": "included",
      "waypost/plan-tokens-left": 9_998_500,
      "waypost/credit-left-nano-usd": 0,
      "waypost/plan-resets-at": first.data.left.resets_at,
    });
  });
});
