import { type InputIssue, WaypostError } from "../errors.ts";
import type { PromptTemplate, TemplateVariable } from "../vault/types.ts";

/** A template's text and its variables. Pure. */

/** `{{name}}`, blanks allowed inside; with a backslash before it, it stands for itself. Anything else in braces is text. */
const PLACEHOLDER = /(\\?)\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,63})\s*\}\}/g;

/** A rendered prompt is a message, which has at most this many characters. */
const MAX_RENDERED = 262_144;

/** Names in a text, in order of appearance. */
export const placeholders = (text: string): string[] => [
  ...new Set([...text.matchAll(PLACEHOLDER)].filter(([, escaped]) => !escaped).map(([, , name]) => name as string)),
];

/**
 * The variables of a text: those that were declared, and the others of the text without a default.
 * @throws WaypostError `invalid_input` naming a variable that the text does not have, or that is declared twice
 */
export function variablesOf(text: string, declared: readonly TemplateVariable[]): TemplateVariable[] {
  const names = placeholders(text);
  const issues = declared.flatMap(({ name }, i): InputIssue[] => {
    const path = `variables.${i}.name`;
    if (!names.includes(name)) return [{ path, message: `The text has no {{${name}}}.` }];
    const twice = declared.findIndex((other) => other.name === name) < i;
    return twice ? [{ path, message: `${name} is declared twice.` }] : [];
  });
  refuse(issues);
  return names.map((name) => declared.find((each) => each.name === name) ?? { name, description: "" });
}

/**
 * The text with its variables' values in their places. A value is never itself expanded.
 * @throws WaypostError `invalid_input` naming every variable that is missing or unknown; `payload_too_large`
 */
export function render(template: Pick<PromptTemplate, "text" | "variables">, given: Record<string, string>): string {
  const values = new Map(Object.entries(given));
  const known = template.variables.map(({ name }) => name);
  const unknown = [...values.keys()].filter((name) => !known.includes(name));
  const missing = template.variables.filter((each) => !values.has(each.name) && each.default === undefined);
  refuse([
    ...missing.map(({ name }) => ({ path: `variables.${name}`, message: "The template needs a value for this." })),
    ...unknown.map((name) => ({
      path: `variables.${name.slice(0, 64)}`,
      message: `The template has no such variable. It has: ${known.join(", ") || "none"}.`,
    })),
  ]);
  const defaults = new Map(template.variables.map((each) => [each.name, each.default ?? ""]));
  const text = template.text.replace(PLACEHOLDER, (whole, escaped: string, name: string) =>
    escaped ? whole.slice(1) : (values.get(name) ?? defaults.get(name) ?? ""),
  );
  if (text.length > MAX_RENDERED) {
    throw new WaypostError("payload_too_large", `A rendered prompt has at most ${MAX_RENDERED} characters.`);
  }
  return text;
}

function refuse(issues: InputIssue[]): void {
  const first = issues[0];
  if (first) throw new WaypostError("invalid_input", `${first.path}: ${first.message}`, { issues });
}
