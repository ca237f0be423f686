import type { z } from "zod";

/**
 * Near misses: what a caller plainly meant and the schema does not say. A field in another spelling of its name (`maxTokens`)
 * or under a name its schema lists (`.meta({ aka: ["q"] })`), a number or truth value as text, JSON as text, one thing where a
 * list is taken, null for a field that may be left out. Where two readings are possible, and inside what is marked
 * `.meta({ exact: true })`, nothing is changed and the schema has the last word.
 */

/** Text nested deeper than this stays text: what comes in JSON's own form has such a bound too. */
const MAX_DEPTH = 32;

type Schema = z.core.$ZodType;

/** The input with its near misses corrected; the same object when there are none. */
export function corrected(schema: z.ZodType, input: unknown): unknown {
  return isObject(input) ? correct(schema, input) : input;
}

function correct(schema: Schema, value: unknown): unknown {
  if (note(schema, "exact") === true) return value;
  const { def } = bare(schema)._zod as { def: z.core.$ZodTypes["_zod"]["def"] };
  switch (def.type) {
    case "object":
      return fieldsOf(def.shape, fromJson(value, isObject));
    case "record":
      return fromJson(value, isObject);
    case "array":
      return itemsOf(def.element, fromJson(value, Array.isArray));
    case "number":
      return typeof value === "string" && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : value;
    case "boolean":
      return value === "true" ? true : value === "false" ? false : value;
    case "union":
      return oneOf(def.options, value);
    default:
      return value;
  }
}

/** The first option that takes the value as corrected for it, unless one takes it as it is. */
function oneOf(options: readonly Schema[], value: unknown): unknown {
  if (options.some((option) => takes(option, value))) return value;
  return (
    options.map((option) => [option, correct(option, value)] as const).find((each) => takes(...each))?.[1] ?? value
  );
}

function itemsOf(element: Schema, value: unknown): unknown {
  if (Array.isArray(value))
    return same(
      value,
      value.map((item) => correct(element, item)),
    );
  const single = correct(element, value);
  return value !== undefined && takes(element, single) ? [single] : value;
}

function fieldsOf(shape: Readonly<Record<string, Schema>>, value: unknown): unknown {
  if (!isObject(value)) return value;
  const given = Object.keys(value);
  const names = given.map((key) => (Object.hasOwn(shape, key) ? key : meant(shape, key)));
  const fields = given.flatMap((key, i): [string, unknown][] => {
    const name = names[i];
    // Two names for one field may hold two different things.
    if (name === undefined || names.indexOf(name) !== names.lastIndexOf(name)) return [[key, value[key]]];
    const field = shape[name] as Schema;
    if (value[key] === null && !takes(field, null) && takes(field, undefined)) return [];
    return [[name, correct(field, value[key])]];
  });
  const unchanged =
    fields.length === given.length && fields.every(([name, of], i) => name === given[i] && of === value[name]);
  return unchanged ? value : Object.fromEntries(fields);
}

/** The field that a name spells otherwise, or stands for. */
function meant(shape: Readonly<Record<string, Schema>>, key: string): string | undefined {
  if (key.length > 64) return undefined;
  const wanted = flat(key);
  return Object.keys(shape).find((name) => {
    const others = note(shape[name] as Schema, "aka");
    return [name, ...(Array.isArray(others) ? others : [])].some((each) => flat(String(each)) === wanted);
  });
}

function fromJson(value: unknown, fits: (parsed: unknown) => boolean): unknown {
  if (typeof value !== "string" || !/^\s*[[{]/.test(value)) return value;
  try {
    const parsed: unknown = JSON.parse(value);
    return fits(parsed) && !isDeeper(parsed, MAX_DEPTH) ? parsed : value;
  } catch {
    return value;
  }
}

/** What a schema notes about itself, also under its wrappers. */
function note(schema: Schema, name: "aka" | "exact"): unknown {
  for (let at: Schema | undefined = schema; at; at = within(at)) {
    const found = (at as z.ZodType).meta?.()?.[name];
    if (found !== undefined) return found;
  }
  return undefined;
}

function bare(schema: Schema): Schema {
  let at = schema;
  for (let next = within(at); next; next = within(at)) at = next;
  return at;
}

/** What an optional, defaulted, nullable or piped schema is made of. */
function within(schema: Schema): Schema | undefined {
  const def = schema._zod.def as { innerType?: Schema; in?: Schema };
  return def.innerType ?? def.in;
}

const takes = (schema: Schema, value: unknown): boolean => (schema as z.ZodType).safeParse(value).success;

const flat = (name: string): string => name.toLowerCase().replace(/[_\s-]/g, "");

const same = (before: unknown[], after: unknown[]): unknown[] =>
  after.every((item, i) => item === before[i]) ? before : after;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isDeeper = (value: unknown, levels: number): boolean =>
  typeof value === "object" &&
  value !== null &&
  (levels === 0 || Object.values(value).some((each) => isDeeper(each, levels - 1)));
