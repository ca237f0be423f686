import { agentTools } from "../../src/tools/registry.ts";
import { briefSchemasOf, type JsonSchema } from "../../src/tools/schema.ts";
import { bm25 } from "./bm25.ts";
import { requests, type ToolRequest } from "./requests.ts";

/**
 * The choice of a tool by words alone: BM25 of a request against what an agent is told of each tool. No model reads like
 * that; it shows which descriptions do not tell two tools apart. Requests in English that have a tool.
 */

export interface Score {
  requests: number;
  first: number;
  amongTwo: number;
  /** Requests whose first was another, by expected and found tool. */
  confused: { says: string; expected: string; found: string; place: number }[];
}

export function scoreOffline(): Score {
  const rank = bm25(Object.fromEntries(agentTools.map((tool) => [tool.name, textOf(tool)])));
  const asked = requests.filter(
    (request): request is ToolRequest & { tool: string } => !!request.tool && !request.language,
  );
  const confused: Score["confused"] = [];
  let amongTwo = 0;
  for (const { says, tool, or = [] } of asked) {
    const found = rank(says);
    const serves = (name: string): boolean => name === tool || or.includes(name);
    const place = found.findIndex(({ name, score }) => score > 0 && serves(name));
    if (place === 0 || place === 1) amongTwo++;
    if (place !== 0) confused.push({ says, expected: tool, found: found[0]?.name ?? "none", place });
  }
  return { requests: asked.length, first: asked.length - confused.length, amongTwo, confused };
}

/** What an agent is told: name, title, description and the words of the input. */
function textOf(tool: (typeof agentTools)[number]): string {
  return [tool.name, tool.title, tool.description, ...wordsOf(briefSchemasOf(tool).input)].join("\n");
}

function wordsOf(schema: JsonSchema): string[] {
  return Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>).flatMap(([name, field]) => {
    const inner = field.items ? wordsOf(field.items as JsonSchema) : wordsOf(field);
    return [name, String(field.description ?? ""), ...inner];
  });
}

/** Rows: expected, columns: found. */
export function confusionTable(pairs: readonly { expected: string; found: string }[]): string {
  const names = [...new Set(pairs.flatMap(({ expected, found }) => [expected, found]))].sort();
  const width = Math.max(8, ...names.map((name) => name.length));
  const cell = (text: string | number) => String(text).padStart(width);
  const rows = names.map((row) => {
    const counts = names.map(
      (column) => pairs.filter(({ expected, found }) => expected === row && found === column).length,
    );
    return [row, ...counts.map((n) => (n === 0 ? "." : n))].map(cell).join(" ");
  });
  return [["expected", ...names].map(cell).join(" "), ...rows].join("\n");
}
