import { describe, expect, it } from "vitest";
import * as z from "zod";
import { validate } from "../gate/validate.ts";
import { corrected } from "./near_miss.ts";
import { agentTools, tools } from "./registry.ts";

const inputOf = (name: string) => {
  const tool = agentTools.find((each) => each.name === name);
  if (!tool) throw new Error(`no tool ${name}`);
  return tool.input;
};
const taken = (name: string, input: unknown) => validate(inputOf(name), input, false) as Record<string, unknown>;

describe("a near miss is taken as it was meant", () => {
  it.each([
    ["search", { q: "x" }, { query: "x" }],
    ["search", { text: "x", topK: "3" }, { query: "x", limit: 3 }],
    ["search", { query: "x", limit: "5" }, { limit: 5 }],
    ["search", { query: "x", kinds: "document" }, { kinds: ["document"] }],
    ["search", { query: "x", documentIds: '["a","b"]' }, { document_ids: ["a", "b"] }],
    ["search", { query: "x", document_id: "a" }, { document_ids: ["a"] }],
    ["search", { query: "x", filter: '{"team":"infra"}' }, { filter: { team: "infra" } }],
    ["search", { query: "x", session_id: null, limit: null }, { limit: 10 }],
    ["fetch", { document_id: "a" }, { id: "a" }],
    ["fetch", { id: "a", offset: "20000" }, { offset: 20_000 }],
    ["delete_document", { documentId: "a" }, { id: "a" }],
    ["add_documents", { documents: { text: "a" } }, { documents: [{ text: "a" }] }],
    ["add_documents", { documents: '[{"text":"a"}]' }, { documents: [{ text: "a" }] }],
    ["add_documents", { documents: [{ content: "a", title: null }] }, { documents: [{ text: "a" }] }],
    ["list_sessions", { limit: "7", next_page: "t" }, { limit: 7, page: "t" }],
    ["sync_session", { id: "s-1" }, { session_id: "s-1" }],
    ["sync_session", { cursor: '{"epoch":"e","seq":3}' }, { cursor: { epoch: "e", seq: 3 } }],
    ["sync_session", { cursor: { epoch: "e", seq: "3" } }, { cursor: { epoch: "e", seq: 3 } }],
    ["usage", { groupBy: "model", recent: "0" }, { group_by: ["model"], recent: 0 }],
    ["usage", { callId: "call_1" }, { call_id: "call_1" }],
    ["chat", { prompt: "hi", maxTokens: "50" }, { message: "hi", max_tokens: 50 }],
    ["chat", { message: "hi", grounding: "true" }, { grounding: true }],
    ["chat", { message: "hi", grounding: { documentIds: "a" } }, { grounding: { document_ids: ["a"] } }],
    ["chat", { messages: '[{"role":"user","content":"hi"}]' }, { messages: [{ role: "user", content: "hi" }] }],
  ] as const)("%s %j", (name, input, meant) => {
    expect(taken(name, input)).toMatchObject(meant);
  });
});

describe("what could mean two things, or nothing, is refused", () => {
  const deep = `${"[".repeat(40)}${"]".repeat(40)}`;
  it.each([
    ["search", { q: "x", text: "y" }],
    ["search", { query: "x", q: "y" }],
    ["search", { qurey: "x" }],
    ["search", { query: 5 }],
    ["search", { query: ["x"] }],
    ["search", { query: "x", limit: "many" }],
    ["search", { query: "x", limit: "" }],
    ["search", { query: "x", limit: "0x10" }],
    ["search", { query: "x", limit: "1e1" }],
    ["search", { query: "x", limit: "51" }],
    ["search", { query: "x", limit: true }],
    ["search", { query: "x", kinds: "documents" }],
    ["search", { query: "x", filter: `{"a":${deep}}` }],
    ["search", { query: null }],
    ["search", { QUERY: "x", Query: "y" }],
    ["fetch", { url: "https://example.com" }],
    ["delete_document", { id: ["a"] }],
    ["delete_document", { ids: ["a"] }],
    ["add_documents", { documents: "a" }],
    ["add_documents", { documents: [{ text: "a", body: "b" }] }],
    ["add_documents", { documents: `[{"text":"a","__proto__":{}}]` }],
    ["chat", { messages: "hi" }],
    ["chat", { prompt: "a", message: "b" }],
    ["usage", { group_by: "colour" }],
    ["whoami", { verbose: true }],
  ])("%s %j", (name, input) => {
    expect(() => taken(name, input)).toThrow(expect.objectContaining({ code: "invalid_input" }));
  });

  it("as is all that a device pushes: it must be exact", () => {
    const push = [{ kind: "session.create", id: "1", session_id: "s" }];
    expect(taken("sync_session", { deviceId: "d", push: JSON.stringify(push) })).toMatchObject({
      device_id: "d",
      push,
    });
    for (const near of [
      { kind: "session.create", id: "1", sessionId: "s" },
      { ...push[0], title: null },
    ]) {
      expect(() => taken("sync_session", { device_id: "d", push: [near] })).toThrow();
    }
    const update = { kind: "session.update", id: "1", session_id: "s", base_seq: "3" };
    expect(() => taken("sync_session", { device_id: "d", push: [update] })).toThrow();
  });
});

describe("strictness elsewhere holds", () => {
  it("what fits as it is stays as it is", () => {
    const schema = z.strictObject({
      a: z.string(),
      n: z.union([z.string(), z.number()]).optional(),
      r: z.record(z.string(), z.unknown()),
    });
    const input = { a: "5", n: "5", r: { camelCase: "5", x: null } };
    expect(corrected(schema, input)).toBe(input);
  });

  it.each([null, 5, "x", [], [{ q: "x" }]])("an input of %j is nobody's near miss", (input) => {
    expect(() => validate(inputOf("search"), input, false)).toThrow();
  });

  it("tools that programs use take nothing but their schema", () => {
    const strict = tools.find(({ name }) => name === "add_credit");
    expect(strict?.restOnly).toBe(true);
    const input = { account: "acc", amountUsd: "5", amount_usd: "5" };
    expect(() => validate(strict?.input as z.ZodType, input)).toThrow();
  });

  it("the default of validate is exact", () => {
    expect(() => validate(inputOf("search"), { q: "x" })).toThrow();
  });

  it("no other name of a field is a field, or another field's other name", () => {
    for (const { name, input } of agentTools) {
      const shape = (input as z.ZodObject).shape as Record<string, z.ZodType>;
      const others = Object.values(shape).flatMap((field) => (field.meta()?.aka as string[] | undefined) ?? []);
      const all = [...Object.keys(shape), ...others].map((each) => each.toLowerCase().replace(/[^a-z0-9]/g, ""));
      expect(new Set(all).size, `${name}: ${all.join(" ")}`).toBe(all.length);
    }
  });
});
