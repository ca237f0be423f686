import { describe, expect, it } from "vitest";
import * as z from "zod";
import { WaypostError } from "../errors.ts";
import { validate } from "./validate.ts";

const Schema = z.strictObject({
  query: z.string().max(5),
  limit: z.number().default(10),
  documents: z.array(z.strictObject({ title: z.string().optional() }).optional()).optional(),
});

function refusal(input: unknown): WaypostError {
  try {
    validate(Schema, input);
  } catch (error) {
    if (error instanceof WaypostError) return error;
  }
  throw new Error("the input was accepted");
}

describe("validation", () => {
  it("gives the input back with its defaults", () => {
    expect(validate(Schema, { query: "a" })).toEqual({ query: "a", limit: 10 });
  });

  it.each([
    [{ query: "a", Limit: 5 }, "Limit", "limit"],
    [{ query: "a", limits: 5 }, "limits", "limit"],
    [{ query: "a", qurey: "b" }, "qurey", "query"],
    [{ query: "a", documents: [{ titel: "b" }] }, "documents.0.titel", "title"],
  ])("names the field that was meant: %j", (input, path, meant) => {
    const { extras, detail } = refusal(input);
    expect(extras.issues).toEqual([{ path, message: `There is no such field. Did you mean \`${meant}\`?` }]);
    expect(detail).toContain(path);
  });

  it("guesses nothing where nothing is near, and shows no more than ten issues", () => {
    const input = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`zzzzzzzz${i}`, 1]));
    const { extras } = refusal({ query: "a", ...input });
    expect(extras.issues).toHaveLength(10);
    expect(extras.issues?.[0]?.message).toBe("There is no such field.");
  });

  it("names path and reason of a wrong value", () => {
    expect(refusal({ query: 5 }).extras.issues).toMatchObject([{ path: "query" }]);
    expect(refusal(null).code).toBe("invalid_input");
    expect(refusal({ query: "toolong" }).detail).toMatch(/^query: /);
  });
});
