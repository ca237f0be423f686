import { beforeAll, describe, expect, it } from "vitest";
import { account, agent, agentOf2025, rest } from "./client.ts";
import { ask } from "./mcp_ask.ts";
import { configureModels } from "./provider.ts";

configureModels();

let mine: { key: string };
beforeAll(async () => {
  mine = await account();
  const sessions = { "s-tea": "About tea", "s-2": "Trip to the coast", "trip-9": "Other", "s-3": "The long trip" };
  const push = Object.entries(sessions).map(([session_id, title], n) => ({
    id: `c${n}`,
    kind: "session.create",
    session_id,
    title,
  }));
  expect((await rest(mine.key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
  const documents = [
    { id: "guide/tides", title: "Tides", text: "x" },
    { id: "coast", title: "Where the tides are high", text: "y" },
    { id: "100%_done", title: "", text: "z" },
  ];
  expect((await rest(mine.key, "POST", "/v1/documents", { documents })).status).toBe(200);
});

const resource = (uri: string) => ({ type: "ref/resource", uri });
const prompt = (name: string) => ({ type: "ref/prompt", name });

describe.each([true, false])("completion (modern: %s)", (modern) => {
  const complete = async (ref: object, name: string, value: string, key = mine.key) =>
    (await ask(key, "completion/complete", { ref, argument: { name, value } }, modern)).body;

  it.each([
    ["sessions by id", resource("waypost://sessions/{id}"), "id", "s-t", ["s-tea"]],
    ["sessions by title, ids first", resource("waypost://sessions/{id}"), "id", "TRIP", ["trip-9", "s-2", "s-3"]],
    ["documents by id", resource("waypost://documents/{id}"), "id", "guide", ["guide/tides"]],
    ["documents by title", resource("waypost://documents/{id}"), "id", "tides", ["guide/tides", "coast"]],
    ["nothing is a wildcard", resource("waypost://documents/{id}"), "id", "0%_", ["100%_done"]],
    ["nothing found", resource("waypost://documents/{id}"), "id", "' OR 1=1 --", []],
    ["sessions for a prompt", prompt("session.summary"), "session_id", "s-t", ["s-tea"]],
    ["an argument that may be anything", prompt("answer.grounded"), "question", "wh", []],
    ["a template of the account", prompt("anything"), "x", "y", []],
  ])("%s", async (_, ref, name, value, ids) => {
    const { result } = await complete(ref, name, value);
    expect([...result.completion.values].sort()).toEqual([...ids].sort());
    expect(result.completion.values[0]).toBe(ids[0]);
    expect(result.completion.hasMore).toBe(false);
  });

  it("months, without a counted call", async () => {
    const { key } = await account("enterprise", { limits: { minute: 1 } });
    const month = new Date().toISOString().slice(0, 7);
    for (const ref of [resource("waypost://usage/{month}"), prompt("spend.plan")]) {
      const { result } = await complete(ref, "month", "", key);
      expect(result.completion).toMatchObject({ total: 13, hasMore: false });
      expect(result.completion.values[0]).toBe(month);
      expect((await complete(ref, "month", month, key)).result.completion.values).toEqual([month]);
    }
    expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
  });

  it("says that there is more when there is, and gives 100 at most", async () => {
    const { key } = await account();
    const push = Array.from({ length: 150 }, (_, n) => ({ id: `c${n}`, kind: "session.create", session_id: `s${n}` }));
    expect((await rest(key, "POST", "/v1/sync", { device_id: "d", push })).status).toBe(200);
    const { result } = await complete(resource("waypost://sessions/{id}"), "id", "s", key);
    // As many as one page of list_sessions has.
    expect(result.completion.values.length).toBeGreaterThan(20);
    expect(result.completion.values.length).toBeLessThanOrEqual(100);
    expect(result.completion.hasMore).toBe(true);
  });

  it("nobody is told of another's things, and who may not read them gets none", async () => {
    const other = await account();
    const blind = await account("enterprise", { scopes: ["chat"] });
    for (const key of [other.key, blind.key]) {
      for (const kind of ["sessions", "documents"]) {
        const { result } = await complete(resource(`waypost://${kind}/{id}`), "id", "", key);
        expect(result.completion.values).toEqual([]);
      }
    }
  });

  it("who types faster than the limit gets none, and no error", async () => {
    const { key } = await account("enterprise", { limits: { minute: 1 } });
    const first = await complete(resource("waypost://sessions/{id}"), "id", "", key);
    const second = await complete(resource("waypost://sessions/{id}"), "id", "", key);
    expect([first.result.completion.values, second.result.completion.values]).toEqual([[], []]);
  });

  it("what is no template is refused", async () => {
    for (const uri of ["waypost://sessions/x", "waypost://models", "https://x/{id}", "__proto__"]) {
      const { error } = await complete(resource(uri), "id", "");
      expect(error).toMatchObject({ code: -32_602, data: { code: "invalid_input" } });
    }
    expect((await complete(resource("waypost://sessions/{id}"), "month", "")).error.data.code).toBe("invalid_input");
  });
});

it("both official clients complete", async () => {
  const params = {
    ref: { type: "ref/resource" as const, uri: "waypost://documents/{id}" },
    argument: { name: "id", value: "gui" },
  };
  for (const client of [await agent(mine.key), await agentOf2025(mine.key)]) {
    expect((await client.complete(params)).completion.values).toEqual(["guide/tides"]);
    await client.close();
  }
});
