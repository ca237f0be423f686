import * as z from "zod";
import type { Tool } from "./define.ts";

/** JSON Schemas (draft 2020-12) of the tools, made on first use and kept: making them is far dearer than sending them. */

export type JsonSchema = Record<string, unknown>;

interface ToolSchemas {
  input: JsonSchema;
  output: JsonSchema;
}

const whole = new WeakMap<Tool, ToolSchemas>();
const brief = new WeakMap<Tool, ToolSchemas>();

/** Everything there is to know, for programs. */
export function schemasOf(tool: Tool): ToolSchemas {
  return kept(whole, tool, () => ({
    input: jsonSchema(tool.input, "input"),
    output: jsonSchema(tool.output, "output"),
  }));
}

/**
 * What an agent has use for, because it pays for every word each time it lists the tools: the input without the bounds
 * of texts and lists, which are told when they are overstepped; of the output the names and types of what its first
 * level always has.
 */
export function briefSchemasOf(tool: Tool): ToolSchemas {
  return kept(brief, tool, () => {
    const { input, output } = schemasOf(tool);
    const properties = agentFields(tool.input, (input.properties ?? {}) as Record<string, JsonSchema>);
    // Some clients take no object without `properties`, so an empty one is told too.
    const brief = {
      type: "object",
      ...withoutBounds(input),
      properties: mapValues(properties, withoutBounds),
      additionalProperties: false,
    };
    return { input: brief, output: firstLevel(output) };
  });
}

function kept(made: WeakMap<Tool, ToolSchemas>, tool: Tool, make: () => ToolSchemas): ToolSchemas {
  let schemas = made.get(tool);
  if (!schemas) {
    schemas = make();
    made.set(tool, schemas);
  }
  return schemas;
}

/** Answers may gain fields, so an output object stays open. */
function jsonSchema(schema: z.ZodType, io: "input" | "output"): JsonSchema {
  const { $schema: _dialect, ...body } = z.toJSONSchema(schema, {
    io,
    override: ({ jsonSchema: node }) => {
      for (const own of ["rest", "aka", "exact"]) delete node[own];
      if (io === "output" && node.additionalProperties === false) delete node.additionalProperties;
      // Bounds of what a double can hold say nothing to a caller.
      if (node.maximum === Number.MAX_SAFE_INTEGER) delete node.maximum;
      if (node.minimum === Number.MIN_SAFE_INTEGER) delete node.minimum;
    },
  });
  return body as JsonSchema;
}

/** Without the fields marked `.meta({ rest: true })`: they are taken at both doors and told to programs only. */
function agentFields(input: z.ZodType, properties: Record<string, JsonSchema>): Record<string, JsonSchema> {
  const shape: Record<string, z.ZodType> = input instanceof z.ZodObject ? input.shape : {};
  return Object.fromEntries(Object.entries(properties).filter(([name]) => shape[name]?.meta()?.rest !== true));
}

const BOUNDS = new Set(["minLength", "maxLength", "minItems", "maxItems", "pattern", "propertyNames"]);

function withoutBounds(node: JsonSchema): JsonSchema {
  const words = Object.entries(node).filter(([word, value]) => !BOUNDS.has(word) && !saysNothing(word, value));
  return Object.fromEntries(
    words.map(([word, value]) => {
      if (word === "properties") return [word, mapValues(value as Record<string, JsonSchema>, withoutBounds)];
      if (word === "anyOf") return [word, (value as JsonSchema[]).map(withoutBounds)];
      return [word, word === "items" ? withoutBounds(value as JsonSchema) : value];
    }),
  );
}

const saysNothing = (word: string, value: unknown): boolean =>
  (word === "additionalProperties" && (value === false || isEmpty(value))) || (word === "properties" && isEmpty(value));

const isEmpty = (value: unknown): boolean => JSON.stringify(value) === "{}";

function firstLevel({ type, properties, required = [] }: JsonSchema): JsonSchema {
  const always = Object.entries(properties as Record<string, JsonSchema>).filter(([name]) =>
    (required as string[]).includes(name),
  );
  return { type, properties: mapValues(Object.fromEntries(always), outline) };
}

function outline({ type, anyOf, enum: values, description }: JsonSchema): JsonSchema {
  const types = type ?? (anyOf as JsonSchema[] | undefined)?.map((each) => each.type);
  return { type: types, ...(values ? { enum: values } : {}), ...(description ? { description } : {}) };
}

const mapValues = <A, B>(from: Record<string, A>, map: (value: A) => B): Record<string, B> =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [name, map(value)]));
