import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from "@ai-sdk/provider";
import { defined, type Fields, isObject, name, optionalFlag, optionalText, refuse } from "./fields.ts";

type Schema = LanguageModelV4FunctionTool["inputSchema"];

/** A tool that runs at the caller. A schema left out means no arguments. */
export function functionTool(
  tool: Fields,
  schema: unknown,
  schemaPath: string,
  path: string,
): LanguageModelV4FunctionTool {
  return defined({
    type: "function" as const,
    name: name(tool.name, `${path}.name`),
    description: optionalText(tool.description, `${path}.description`),
    inputSchema: schemaOf(schema ?? { type: "object", properties: {} }, schemaPath),
    strict: optionalFlag(tool.strict, `${path}.strict`),
  });
}

export function schemaOf(value: unknown, path: string): Schema {
  return isObject(value) ? (value as Schema) : refuse(path, "must be a JSON Schema object");
}

/** Tools that cannot be called twice under one name, and a choice that is among them. */
export function toolOptions(
  tools: LanguageModelV4FunctionTool[],
  toolChoice: LanguageModelV4ToolChoice | undefined,
  choicePath: string,
): Pick<LanguageModelV4CallOptions, "tools" | "toolChoice"> {
  const names = new Set(tools.map((tool) => tool.name));
  if (names.size < tools.length) refuse("tools", "must have names that differ");
  if (toolChoice?.type === "tool" && !names.has(toolChoice.toolName))
    refuse(choicePath, "names no tool of the request");
  if (toolChoice?.type === "required" && tools.length === 0) refuse(choicePath, "asks for a tool and there is none");
  if (tools.length === 0) return {};
  return { tools, ...(toolChoice ? { toolChoice } : {}) };
}
