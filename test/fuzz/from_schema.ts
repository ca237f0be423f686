import type { Dice } from "./dice.ts";

/** The part of JSON Schema that the server's own documents use. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  default?: unknown;
}

/** Values that mean something to the server, by the name of the field: an id that exists, a model that answers. */
export type Known = Readonly<Record<string, readonly unknown[]>>;

/** A value that fits a schema, with what is known to exist where the name of a field has such. */
export function fitting(schema: Schema, dice: Dice, known: Known, name = ""): unknown {
  const values = Object.hasOwn(known, name) ? known[name] : undefined;
  if (values?.length && dice.chance(0.8)) return dice.pick(values);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return dice.pick(schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fitting(dice.pick(choices), dice, known, name);
  if (schema.allOf) return fitting(schema.allOf[0] ?? {}, dice, known, name);
  if (schema.default !== undefined && dice.chance(0.3)) return schema.default;
  const type = Array.isArray(schema.type) ? dice.pick(schema.type) : schema.type;
  switch (type) {
    case "string":
      return dice.pick(WORDS).slice(0, schema.maxLength ?? 200) || "a".repeat(schema.minLength ?? 1);
    case "integer":
    case "number":
      return number(schema, dice);
    case "boolean":
      return dice.chance(0.5);
    case "array":
      return Array.from({ length: Math.max(schema.minItems ?? 0, dice.int(3)) }, () =>
        fitting(schema.items ?? {}, dice, known, singular(name)),
      );
    case "null":
      return null;
    case "object":
      return object(schema, dice, known);
    default:
      return dice.pick([...WORDS, 7, true, null]);
  }
}

const WORDS = ["tea", "green tea at 80 °C", "how hot should the water be", "A title", "2026-11", "w", "日本茶"];

function number({ minimum = 0, maximum = 1_000 }: Schema, dice: Dice): number {
  return dice.pick([minimum, minimum + 1, Math.min(maximum, minimum + dice.int(50)), maximum]);
}

function object({ properties = {}, required = [] }: Schema, dice: Dice, known: Known): Record<string, unknown> {
  const value: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(properties)) {
    if (required.includes(name) || dice.chance(0.35)) value[name] = fitting(schema, dice, known, name);
  }
  return value;
}

const singular = (name: string): string => name.replace(/s$/, "");
