import { describe, expect, it } from "vitest";
import { account, agent, agentOf2025, rest } from "./client.ts";
import { ask } from "./mcp_ask.ts";
import { configureModels } from "./provider.ts";

configureModels();

const OWN = ["answer.grounded", "session.summary", "session.continue", "spend.plan", "documents.keep"];

const save = async (key: string, template: object) =>
  expect((await rest(key, "POST", "/v1/templates", template)).status).toBe(200);

interface Listed {
  name: string;
  title: string;
  arguments?: { name: string; required: boolean; description?: string }[];
}
interface Prompter {
  listPrompts(): Promise<{ prompts: Listed[] }>;
  getPrompt(params: { name: string; arguments?: Record<string, string> }): Promise<{
    messages: { role: string; content: { type: string; text?: string } }[];
  }>;
  close(): Promise<void>;
}

describe.each(["2026", "2025"])("prompts for a client of %s", (era) => {
  const open = async (key: string) => (await (era === "2026" ? agent(key) : agentOf2025(key))) as unknown as Prompter;

  it("are the server's own and the account's templates, rendered with their arguments", async () => {
    const { key } = await account();
    await save(key, {
      name: "translate",
      title: "Translate",
      text: "Translate into {{language}}, {{tone}}: {{text}}",
      variables: [{ name: "tone", description: "How it should sound", default: "plainly" }],
    });
    const client = await open(key);
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual([...OWN, "translate"]);
    expect(prompts.at(-1)).toMatchObject({
      title: "Translate",
      arguments: [
        { name: "language", required: true },
        { name: "tone", required: false, description: "How it should sound" },
        { name: "text", required: true },
      ],
    });
    const { messages } = await client.getPrompt({
      name: "translate",
      arguments: { language: "Low German", text: "{{tone}} Moin" },
    });
    expect(messages).toEqual([
      { role: "user", content: { type: "text", text: "Translate into Low German, plainly: {{tone}} Moin" } },
    ]);
    await client.close();
  });

  it("every one of the server's own renders with only what it must have, and names tools there are", async () => {
    const { key } = await account("enterprise");
    const client = await open(key);
    const { prompts } = await client.listPrompts();
    for (const prompt of prompts) {
      const needed = (prompt.arguments ?? []).filter(({ required }) => required);
      const given = Object.fromEntries(needed.map(({ name }) => [name, `<${name}>`]));
      const { messages } = await client.getPrompt({ name: prompt.name, arguments: given });
      const text = messages[0]?.content.text ?? "";
      expect(text).not.toMatch(/undefined|null|\{\{/);
      for (const name of needed) expect(text).toContain(`<${name.name}>`);
      const tools = [...text.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name);
      const known = ["search", "fetch", "sync_session", "usage", "add_documents", "more"];
      expect(tools.filter((name) => !known.includes(name as string))).toEqual([]);
      expect(tools.length).toBeGreaterThan(0);
    }
    await client.close();
  });
});

describe.each([true, false])("what is refused (modern: %s)", (modern) => {
  const get = (key: string, name: string, given?: unknown) =>
    ask(key, "prompts/get", { name, ...(given === undefined ? {} : { arguments: given }) }, modern);

  it.each([
    ["none-such", {}, "not_found"],
    ["__proto__", {}, "not_found"],
    ["x".repeat(5_000), {}, "not_found"],
    ["answer.grounded", {}, "invalid_input"],
    ["answer.grounded", { question: " " }, "invalid_input"],
    ["answer.grounded", { question: "q", other: "x" }, "invalid_input"],
    ["answer.grounded", { question: "x".repeat(20_000) }, "invalid_input"],
    ["own", {}, "invalid_input"],
    ["own", { what: "x", more: "y" }, "invalid_input"],
  ])("%.20s with %.60j is %s", async (name, given, code) => {
    const { key } = await account();
    await save(key, { name: "own", text: "Say {{what}}." });
    const { body } = await get(key, name, given);
    expect(body.error).toMatchObject({ code: -32_602, data: { code } });
    expect(body.error.message.length).toBeLessThan(1_000);
  });

  it("another account's template, and one that was deleted, are like none", async () => {
    const [mine, theirs] = [await account(), await account()];
    await save(theirs.key, { name: "theirs", text: "secret" });
    await save(mine.key, { name: "gone", text: "was here" });
    expect((await rest(mine.key, "DELETE", "/v1/templates/gone")).status).toBe(200);
    const shapes = await Promise.all(
      ["theirs", "gone", "none"].map(async (name) =>
        JSON.stringify((await get(mine.key, name)).body)
          .replaceAll(name, "#")
          .replace(/req_[0-9a-z]+/g, "#"),
      ),
    );
    expect(new Set(shapes).size).toBe(1);
    expect(JSON.stringify((await ask(mine.key, "prompts/list", {}, modern)).body)).not.toMatch(/theirs|gone/);
  });

  it("a key that may not chat has the server's own, without a counted call", async () => {
    const { key } = await account("enterprise", { scopes: ["usage"], limits: { minute: 1 } });
    const list = await ask(key, "prompts/list", {}, modern);
    expect(list.body.result.prompts.map(({ name }: Listed) => name)).toEqual(OWN);
    expect((await get(key, "spend.plan")).body.result.messages).toHaveLength(1);
    expect((await get(key, "own")).body.error.data).toMatchObject({ code: "insufficient_scope" });
    expect((await rest(key, "GET", "/v1/usage")).status).toBe(200);
  });
});

it("a long list of templates comes in pages", async () => {
  const { key } = await account();
  for (let n = 0; n < 130; n++) await save(key, { name: `t${String(n).padStart(3, "0")}`, text: "x" });
  const first = (await ask(key, "prompts/list", {}, true)).body.result;
  expect(first.prompts).toHaveLength(OWN.length + 100);
  const second = (await ask(key, "prompts/list", { cursor: first.nextCursor }, true)).body.result;
  expect(second.prompts.map(({ name }: Listed) => name)).toEqual(Array.from({ length: 30 }, (_, n) => `t${n + 100}`));
  expect(second.nextCursor).toBeUndefined();
});
