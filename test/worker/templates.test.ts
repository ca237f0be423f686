import { expect, it } from "vitest";
import { account, rest } from "./client.ts";

it("templates are kept over REST, by version, for one account", async () => {
  const [mine, other] = [await account(), await account()];
  const save = (text: string) => rest(mine.key, "POST", "/v1/templates", { name: "greet", text });
  expect((await save("Hello {{name}}")).body).toMatchObject({ name: "greet", version: 1 });
  expect((await save("Good day {{name}}")).body).toMatchObject({ version: 2 });
  const read = async (key: string, path: string) => (await rest(key, "GET", `/v1/templates${path}`)).body;
  expect(await read(mine.key, "/greet?version=1")).toMatchObject({ text: "Hello {{name}}", newest: 2 });
  expect(await read(mine.key, "/greet")).toMatchObject({ text: "Good day {{name}}" });
  expect(await read(mine.key, "")).toMatchObject({ templates: [{ name: "greet", variables: [{ name: "name" }] }] });
  const render = (body: object) => rest(mine.key, "POST", "/v1/templates/greet/render", body);
  expect((await render({ variables: { name: "{{name}}" } })).body.text).toBe("Good day {{name}}");
  expect((await render({ variables: { nam: "x" } })).body).toMatchObject({
    code: "invalid_input",
    issues: [{ path: "variables.name" }, { path: "variables.nam" }],
  });
  expect(await read(other.key, "/greet")).toMatchObject({
    code: "not_found",
    next: "GET /v1/templates lists the templates of this account.",
  });
  expect(await read(other.key, "")).toEqual({ templates: [] });
  expect((await rest(other.key, "DELETE", "/v1/templates/greet")).status).toBe(404);
  expect((await rest(mine.key, "DELETE", "/v1/templates/greet")).body).toEqual({ name: "greet", versions: 2 });
  expect(await read(mine.key, "/greet?version=1")).toMatchObject({ code: "not_found" });
});

it("a chat with a template that is not there is told where templates are listed", async () => {
  const { key } = await account();
  const missing = [{ name: "none" }, { name: "kept", version: 7 }];
  await rest(key, "POST", "/v1/templates", { name: "kept", text: "Hello" });
  for (const template of missing) {
    const told = await rest(key, "POST", "/v1/chat", { template, model: "local/extractive" });
    expect([told.status, told.body.code]).toEqual([404, "not_found"]);
    expect(told.body.detail).toContain(template.name);
    expect(told.body.next).toBe("GET /v1/templates lists the templates of this account.");
  }
  const session = await rest(key, "POST", "/v1/sync", { session_id: "none" });
  expect(session.body.next ?? "").not.toContain("templates");
});

it("templates need the scope chat, and improving a prompt is booked as a call that costs nothing without a model", async () => {
  const narrow = await account("enterprise", { scopes: ["search"] });
  expect((await rest(narrow.key, "GET", "/v1/templates")).body).toMatchObject({ code: "insufficient_scope" });
  const { key } = await account();
  const improved = await rest(key, "POST", "/v1/prompts/enhance", { prompt: "write a poem" });
  expect(improved.body).toMatchObject({ by: "rules", cost: { nano_usd: 0 } });
  const { by_tool } = (await rest(key, "GET", "/v1/usage")).body;
  expect(JSON.stringify(by_tool)).toContain("enhance_prompt");
});
