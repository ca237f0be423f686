import type { InputIssue } from "../errors.ts";

const ISSUES_SHOWN = 10;

/**
 * What the SDK's schemas found wrong with a request: it tells that as an internal error whose text is the list of issues.
 * Undefined for any other text.
 */
export function schemaIssues(text: string): InputIssue[] | undefined {
  if (!text.startsWith("[")) return undefined;
  try {
    const issues = (JSON.parse(text) as { path: unknown[]; message: string }[]).slice(0, ISSUES_SHOWN);
    return issues.map(({ path, message }) => ({ path: path.join(".").slice(0, 200), message: message.slice(0, 200) }));
  } catch {
    return undefined;
  }
}
