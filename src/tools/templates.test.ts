import { env } from "cloudflare:test";
import { describe, expect, test } from "vitest";
import { recordedCall } from "../../test/worker/call.ts";
import type { Env } from "../env.ts";
import { validate } from "../gate/validate.ts";
import {
  applyTemplate,
  deleteTemplate,
  listTemplates,
  readTemplate,
  renderTemplate,
  saveTemplate,
} from "./templates.ts";
import { placeholders, render, variablesOf } from "./templates_render.ts";

const settings = env as unknown as Env;
const pathed = (path: string) => expect.objectContaining({ path });
const template = (text: string, variables: { name: string; default?: string }[] = []) => ({
  text,
  variables: variablesOf(
    text,
    variables.map((each) => ({ description: "", ...each })),
  ),
});

describe("rendering", () => {
  test.each([
    ["Hello {{name}}, {{ name }}!", { name: "Ada" }, "Hello Ada, Ada!"],
    ["{{a}}{{b}}", { a: "{{b}}", b: "{{a}}" }, "{{b}}{{a}}"],
    ["{{a}}", { a: "$& $1 $$ \\{{a}}" }, "$& $1 $$ \\{{a}}"],
    ["\\{{a}} is {{a}}", { a: "1" }, "{{a}} is 1"],
    ["{ {a} } {{}} {{1a}} {{a b}} {{{a}}}", { a: "1" }, "{ {a} } {{}} {{1a}} {{a b}} {1}"],
    ["{{__proto__}} {{constructor}}", JSON.parse('{"__proto__": "p", "constructor": "c"}'), "p c"],
  ])("%s", (text, values, expected) => {
    expect(render(template(text), values)).toBe(expected);
  });

  test("a default stands in, also an empty one, and a given value goes before it", () => {
    const greeting = template("{{a}}{{b}}", [
      { name: "a", default: "x" },
      { name: "b", default: "" },
    ]);
    expect(render(greeting, {})).toBe("x");
    expect(render(greeting, { a: "", b: "y" })).toBe("y");
  });

  test("missing and unknown variables are refused by name, all at once", () => {
    const refused = { code: "invalid_input", extras: { issues: [pathed("variables.a"), pathed("variables.z")] } };
    expect(() => render(template("{{a}} {{b}}"), { b: "1", z: "2" })).toThrow(expect.objectContaining(refused));
  });

  test("the names of objects' own members are unknown variables like others", () => {
    for (const name of ["toString", "constructor", "hasOwnProperty"]) {
      expect(() => render(template("{{a}}"), { a: "1", [name]: "x" })).toThrow(name);
      expect(() => render(template(`{{${name}}}`), {})).toThrow(name);
    }
  });

  test("a small template cannot make a huge prompt", () => {
    const many = template("{{a}}".repeat(1000));
    expect(() => render(many, { a: "x".repeat(1000) })).toThrow("262144");
  });

  test("a declared variable that the text does not have is refused, as is one declared twice", () => {
    expect(() => template("{{a}}", [{ name: "b" }])).toThrow("{{b}}");
    expect(() => template("{{a}}", [{ name: "a" }, { name: "a" }])).toThrow("twice");
    expect(placeholders("\\{{no}} {{yes}} {{yes}}")).toEqual(["yes"]);
  });
});

describe("the tools", () => {
  test("save, list, read, render and delete", async () => {
    const call = recordedCall(settings);
    const save = (input: object) => saveTemplate.run(call, validate(saveTemplate.input, input));
    const first = await save({ name: "greet", text: "Hello {{name}}", variables: [{ name: "name", default: "you" }] });
    expect(saveTemplate.output.parse(first)).toMatchObject({ version: 1, title: "greet" });
    await save({ name: "greet", text: "Good day {{name}} of {{place}}" });
    expect((await listTemplates.run(call, {})).templates).toMatchObject([{ name: "greet", version: 2 }]);
    expect(await readTemplate.run(call, { name: "greet", version: 1 })).toMatchObject({ text: "Hello {{name}}" });
    const use = (input: object) =>
      renderTemplate.run(call, validate(renderTemplate.input, { name: "greet", ...input }));
    expect(await use({ version: 1 })).toEqual({ name: "greet", version: 1, text: "Hello you" });
    await expect(use({ variables: { name: "Ada" } })).rejects.toThrow("variables.place");
    expect(await deleteTemplate.run(call, { name: "greet" })).toEqual({ name: "greet", versions: 2 });
    await expect(use({})).rejects.toMatchObject({ code: "not_found" });
  });

  test.each([
    { name: "Upper", text: "x" },
    { name: "../x", text: "x" },
    { name: "a", text: "" },
    { name: "a", text: "x".repeat(65_537) },
    { name: "a", text: "{{b}}", variables: [{ name: "b-c" }] },
    { name: "a", text: "{{b}}", variables: [{ name: "b", defalt: "x" }] },
  ])("refuse %j", (input) => {
    expect(() => validate(saveTemplate.input, input)).toThrow();
  });

  test("a chat's template becomes its message", async () => {
    const call = recordedCall(settings);
    await saveTemplate.run(call, validate(saveTemplate.input, { name: "ask", text: "What is {{thing}}?" }));
    const input = { model: "auto", template: { name: "ask", variables: { thing: "a tide" } } };
    expect(await applyTemplate(call, input)).toEqual({
      model: "auto",
      message: "What is a tide?",
      template: undefined,
    });
    const plain = { message: "{{thing}}", model: "auto" };
    expect(await applyTemplate(call, plain)).toBe(plain);
  });
});
