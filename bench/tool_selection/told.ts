import { countTokens } from "gpt-tokenizer/encoding/o200k_base";
import type { Tool } from "../../src/tools/define.ts";
import { agentTools } from "../../src/tools/registry.ts";
import { briefSchemasOf } from "../../src/tools/schema.ts";

/** A tool as tools/list tells it. */
export function told(tool: Tool) {
  const { input, output } = briefSchemasOf(tool);
  const { name, title, description, annotations } = tool;
  return { name, title, description, inputSchema: input, outputSchema: output, annotations };
}

const COLUMNS = ["tool", "all", "description", "input", "output"] as const;

/** Tokens (o200k) of each tool and of the whole list. */
export function tokensOfTools(): { table: string; total: number } {
  const rows = agentTools.map((tool) => {
    const whole = told(tool);
    const { description, inputSchema, outputSchema } = whole;
    return [tool.name, ...[whole, description, inputSchema, outputSchema].map(tokens)];
  });
  const total = tokens({ tools: agentTools.map(told) });
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell, i) => (i === 0 ? String(cell).padEnd(16) : String(cell).padStart(12))).join("");
  return { table: [line(COLUMNS), ...rows.map(line), line(["the list", total])].join("\n"), total };
}

const tokens = (value: unknown): number => countTokens(typeof value === "string" ? value : JSON.stringify(value));
