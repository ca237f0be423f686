import type { z } from "zod";
import { type InputIssue, WaypostError } from "../errors.ts";
import { corrected } from "../tools/near_miss.ts";

/** More would not help a caller to correct the input. */
const ISSUES_SHOWN = 10;

/**
 * Parses the input by the tool's schema; what does not fit is tried once more as it was plainly meant, unless `exact`.
 * @throws WaypostError `invalid_input` with `issues`, naming the nearest known field for a misspelt one
 */
export function validate<S extends z.ZodType>(schema: S, input: unknown, exact = true): z.output<S> {
  let parsed = schema.safeParse(input);
  if (!parsed.success && !exact) {
    const meant = corrected(schema, input);
    if (meant !== input) parsed = schema.safeParse(meant);
  }
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.flatMap((issue) => describe(schema, issue));
  const shown = issues.slice(0, ISSUES_SHOWN);
  const first = shown[0];
  const detail = first ? `${first.path || "input"}: ${first.message}` : "The input does not fit the schema.";
  throw new WaypostError("invalid_input", detail, {
    issues: shown,
    ...(issues.length > shown.length ? { issues_omitted: issues.length - shown.length } : {}),
  });
}

function describe(schema: z.ZodType, issue: z.core.$ZodIssue): InputIssue[] {
  const path = issue.path.map(String).join(".");
  if (issue.code !== "unrecognized_keys") return [{ path, message: shorten(issue.message) }];
  const known = fieldsOf(issue.path.reduce(inside, schema));
  return issue.keys.slice(0, ISSUES_SHOWN).map((key) => {
    const meant = nearest(key, known);
    const message = `There is no such field.${meant ? ` Did you mean \`${meant}\`?` : ""}`;
    return { path: path ? `${path}.${shorten(key)}` : shorten(key), message };
  });
}

const shorten = (text: string): string => (text.length > 200 ? `${text.slice(0, 199)}…` : text);

/** The schema of a field or item; wrappers such as optional and default are looked through. */
function inside(schema: z.ZodType | undefined, step: PropertyKey): z.ZodType | undefined {
  const within = unwrapped(schema);
  if (!within) return undefined;
  if ("element" in within) return within.element as z.ZodType;
  return "shape" in within ? (within.shape as Record<PropertyKey, z.ZodType>)[step] : undefined;
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  let within = schema;
  while (within && !("element" in within) && "unwrap" in within && typeof within.unwrap === "function")
    within = within.unwrap();
  return within;
}

function fieldsOf(schema: z.ZodType | undefined): string[] {
  const within = unwrapped(schema);
  return within && "shape" in within ? Object.keys(within.shape as object) : [];
}

/** The known name that differs least, if it differs little; one that contains the other counts as near. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.slice(0, 64).toLowerCase();
  const flat = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  const same = known.find((field) => flat(field) === flat(wanted));
  if (same) return same;
  const ranked = known
    .map((field) => ({ field, distance: editDistance(wanted, field) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (ranked && ranked.distance <= Math.ceil(ranked.field.length / 3)) return ranked.field;
  return known.find((field) => wanted.length >= 3 && (field.startsWith(wanted) || wanted.startsWith(field)));
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
