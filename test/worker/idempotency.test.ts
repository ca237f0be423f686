import { beforeAll, describe, expect, it } from "vitest";
import { callThrough, DOORS, type Told } from "./both_doors.ts";
import { account, rest } from "./client.ts";
import { configureModels, priceOf, servedBy } from "./provider.ts";

configureModels();

const PARALLEL = 100;
const ask = { message: "Once only, please.", model: "paid/tokens-12345-678" };
const price = priceOf({ input: 12_345, output: 678 });

// Modules that are loaded on first use come from the runner here: requests that all want one at once wait for each other's I/O.
beforeAll(async () => {
  const { key } = await account();
  for (const door of DOORS) await callThrough(door, key, "chat", { ...ask, model: "paid/tokens-1-1" });
});

describe.each(DOORS)("an idempotency key over %s", (door) => {
  it(`${PARALLEL} calls at once give one result, one request upstream and one charge`, async () => {
    const { key } = await account();
    const before = await servedBy("tokens-12345-678");
    const told = await Promise.all(
      Array.from({ length: PARALLEL }, () => callThrough(door, key, "chat", ask, { idempotencyKey: "same" })),
    );
    expect(new Set(told.map(({ data }) => JSON.stringify(data))).size).toBe(1);
    expect(told.map(({ cost }) => cost).sort((a, b) => b - a)).toEqual([price, ...Array(PARALLEL - 1).fill(0)]);
    expect(told.filter(({ replayed }) => replayed)).toHaveLength(PARALLEL - 1);
    // A connection that breaks is tried again within the call, which says so: whatever else was asked was a second run.
    const { tries } = (await rest(key, "GET", `/v1/usage/calls/${told[0]?.data.cost.call_id}`)).body;
    expect(tries.at(-1)).toMatchObject({ model: ask.model });
    expect((await servedBy("tokens-12345-678")) - before).toBe(tries.length);
    const { total, by_tool } = (await rest(key, "GET", "/v1/usage")).body;
    expect(by_tool.chat).toMatchObject({ calls: 1, errors: 0, cost_nano: price });
    expect(total.cost_nano).toBe(price);
  });

  it("refuses the key with another input, and charges nothing for it", async () => {
    const { key } = await account();
    await callThrough(door, key, "chat", ask, { idempotencyKey: "k" });
    const other = { ...ask, message: "Something else." };
    expect(await callThrough(door, key, "chat", other, { idempotencyKey: "k" })).toMatchObject({
      code: "idempotency_conflict",
      cost: 0,
    });
    expect((await rest(key, "GET", "/v1/usage")).body.total.cost_nano).toBe(price);
  });

  it("stores a turn and a document once", async () => {
    const { key } = await account();
    const turn = { ...ask, session_id: "once" };
    const documents = { documents: [{ text: "A text without an id." }] };
    for (let i = 0; i < 3; i++) {
      expect((await callThrough(door, key, "chat", turn, { idempotencyKey: "turn" })).code).toBe("ok");
      expect((await callThrough(door, key, "add_documents", documents, { idempotencyKey: "add" })).data).toMatchObject({
        documents: [{ status: "created", revision: 1 }],
      });
    }
    const { changes } = (await rest(key, "POST", "/v1/sync", {})).body;
    expect(changes.map(({ kind }: { kind: string }) => kind).sort()).toEqual([
      "document",
      "message",
      "message",
      "session",
    ]);
  });

  it("a failed call can be repeated with its key", async () => {
    const { key } = await account();
    const gone = { id: "later" };
    expect((await callThrough(door, key, "fetch", gone, { idempotencyKey: "k" })).code).toBe("not_found");
    await rest(key, "POST", "/v1/documents", { documents: [{ id: "later", text: "Now it is there." }] });
    expect((await callThrough(door, key, "fetch", gone, { idempotencyKey: "k" })).code).toBe("ok");
  });

  it.each([
    ["empty", ""],
    ["too long", "k".repeat(256)],
    ["spaces", "a b"],
  ])("refuses a key that is %s", async (_, bad) => {
    const { key } = await account();
    expect((await callThrough(door, key, "usage", {}, { idempotencyKey: bad })).code).toBe("invalid_header");
  });
});

it("what was asked through one door is replayed through the others", async () => {
  const { key } = await account();
  const told: Told[] = [];
  for (const door of DOORS) told.push(await callThrough(door, key, "chat", ask, { idempotencyKey: "any-door" }));
  expect(told.map(({ cost, replayed }) => [cost, replayed])).toEqual([
    [price, false],
    [0, true],
    [0, true],
  ]);
  expect(new Set(told.map(({ data }) => JSON.stringify(data))).size).toBe(1);
});

it("keys of one account do not see each other's attempts", async () => {
  const { key } = await account("enterprise", { scopes: ["chat", "account"] });
  const second = (await rest(key, "POST", "/v1/keys", { name: "second", scopes: ["chat"] })).body.api_key;
  for (const each of [key, second]) {
    expect((await callThrough("rest", each, "chat", ask, { idempotencyKey: "k" })).cost).toBe(price);
  }
});
