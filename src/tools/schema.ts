import { z } from "zod";
import type { Tool } from "./define.ts";

/** JSON Schemas of the tools, made on first use and kept: making them is far dearer than sending them. */

export type JsonSchema = Record<string, unknown>;

interface ToolSchemas {
  input: JsonSchema;
  output: JsonSchema;
}
const made = new WeakMap<Tool, ToolSchemas>();

export function schemasOf(tool: Tool): ToolSchemas {
  let schemas = made.get(tool);
  if (!schemas) {
    schemas = { input: jsonSchema(tool.input, "input"), output: jsonSchema(tool.output, "output") };
    made.set(tool, schemas);
  }
  return schemas;
}

/** Draft 2020-12. Answers may gain fields, so an output object stays open. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const { $schema: _dialect, ...body } = z.toJSONSchema(schema, {
    io,
    reused: io === "output" ? "ref" : "inline",
    override: ({ jsonSchema: node }) => {
      if (io === "output") delete node.additionalProperties;
      // Bounds of what a double can hold say nothing to a caller.
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
    },
  });
  return body as JsonSchema;
}
