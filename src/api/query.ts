import type { Tool } from "../tools/define.ts";
import { type JsonSchema, schemasOf } from "../tools/schema.ts";

/**
 * The input of a call without a body: query and path parameters are text, so each becomes what the schema says its field
 * is, where the text allows it. What does not fit is left as text for the validation to name.
 */
export function inputFromUrl(tool: Tool, url: string, path: Record<string, string>): Record<string, unknown> {
  if (!url.includes("?")) return path;
  const query = new URL(url).searchParams;
  const properties = (schemasOf(tool).input.properties ?? {}) as Record<string, JsonSchema>;
  // Without a prototype, so that a parameter named `__proto__` is a field like any other unknown one.
  const input: Record<string, unknown> = Object.create(null);
  for (const name of new Set(query.keys())) {
    const values = query.getAll(name);
    const schema = properties[name];
    if (schema?.type === "array") input[name] = listOf(values, schema.items as JsonSchema);
    else input[name] = values.length === 1 ? convert(values[0] as string, schema) : values;
  }
  return { ...input, ...path };
}

/** Several of a list: the parameter repeated, or, where none of them can have a comma in it, commas between. */
function listOf(values: readonly string[], items: JsonSchema): unknown[] {
  const each = items.enum ? values.flatMap((value) => value.split(",")) : values;
  return each.map((value) => convert(value, items));
}

function convert(text: string, schema: JsonSchema | undefined): unknown {
  if (schema?.type === "integer" || schema?.type === "number")
    return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (schema?.type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}
