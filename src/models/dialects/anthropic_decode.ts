import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from "@ai-sdk/provider";
import { readMessages } from "./anthropic_messages.ts";
import {
  defined,
  type Fields,
  isAbsent,
  list,
  name,
  object,
  oneOf,
  optionalCount,
  optionalFlag,
  optionalNumber,
  optionalOneOf,
  present,
  type Refused,
  refuse,
  refuseFields,
  text,
} from "./fields.ts";
import { providerOptions, type Wishes } from "./provider_options.ts";
import { functionTool, schemaOf, toolOptions } from "./tools.ts";
import type { Decoded } from "./types.ts";

const REFUSED: Refused = {
  container: { asks: present, why: "code is not run at a provider" },
  mcp_servers: { asks: (of) => Array.isArray(of) && of.length > 0, why: "servers are not called from a provider" },
  inference_geo: { asks: present, why: "where a model runs cannot be chosen" },
  thread: { asks: present, why: "conversations are not kept at a provider; send all messages" },
};

type Reasoning = LanguageModelV4CallOptions["reasoning"];

/** A request to `/v1/messages`. */
export function decodeMessages(body: Fields): Decoded {
  refuseFields(body, REFUSED);
  const maxOutputTokens = optionalCount(body.max_tokens, "max_tokens");
  if (maxOutputTokens === undefined) refuse("max_tokens", "is required");
  const output = isAbsent(body.output_config) ? {} : object(body.output_config, "output_config");
  const { thinking, effort } = readThinking(body.thinking);
  const choice = readChoice(body.tool_choice);
  const responseFormat = readFormat(output.format ?? body.output_format);
  const tools = isAbsent(body.tools) ? [] : list(body.tools, "tools").map(readTool);
  const options: LanguageModelV4CallOptions = defined({
    prompt: readMessages(body.system, body.messages),
    maxOutputTokens,
    temperature: optionalNumber(body.temperature, "temperature", 0, 1),
    topP: optionalNumber(body.top_p, "top_p", 0, 1),
    topK: optionalCount(body.top_k, "top_k", 0),
    stopSequences: stopSequences(body.stop_sequences),
    reasoning: optionalOneOf(output.effort, "output_config.effort", EFFORTS) ?? effort,
    responseFormat,
    ...toolOptions(tools, choice.toolChoice, "tool_choice"),
    ...providerOptions({
      parallel: tools.length > 0 ? choice.parallel : undefined,
      strictSchema: responseFormat ? true : undefined,
      thinking,
    }),
  });
  return {
    model: name(body.model, "model"),
    stream: optionalFlag(body.stream, "stream") ?? false,
    includeUsage: true,
    options,
    maxOutputTokens,
  };
}

const EFFORTS = ["low", "medium", "high", "xhigh", "max"] as const;

/** Tokens to think in, as the efforts that other providers know. */
const LOW_BUDGET = 4_096;
const MEDIUM_BUDGET = 16_384;

function readThinking(value: unknown): { thinking?: Wishes["thinking"]; effort?: Reasoning } {
  if (isAbsent(value)) return {};
  const asked = object(value, "thinking");
  const type = oneOf(asked.type, "thinking.type", ["enabled", "disabled", "adaptive", "between_tools"]);
  if (type === "between_tools") return { effort: "low" };
  if (type !== "enabled") return { thinking: { type } };
  const budgetTokens = optionalCount(asked.budget_tokens, "thinking.budget_tokens");
  if (budgetTokens === undefined) refuse("thinking.budget_tokens", "is required");
  const effort = budgetTokens <= LOW_BUDGET ? "low" : budgetTokens <= MEDIUM_BUDGET ? "medium" : "high";
  return { thinking: { type, budgetTokens }, effort };
}

function stopSequences(value: unknown): string[] | undefined {
  if (isAbsent(value)) return undefined;
  const all = list(value, "stop_sequences").map((each, i) => text(each, `stop_sequences.${i}`));
  return all.length > 0 ? all : undefined;
}

function readFormat(value: unknown): LanguageModelV4CallOptions["responseFormat"] {
  if (isAbsent(value)) return undefined;
  const format = object(value, "output_config.format");
  oneOf(format.type, "output_config.format.type", ["json_schema"]);
  return { type: "json", schema: schemaOf(format.schema, "output_config.format.schema") };
}

function readTool(value: unknown, i: number): LanguageModelV4FunctionTool {
  const path = `tools.${i}`;
  const tool = object(value, path);
  if (!isAbsent(tool.type) && tool.type !== "custom") refuse(`${path}.type`, "only tools of your own are offered");
  return functionTool(tool, tool.input_schema, `${path}.input_schema`, path);
}

function readChoice(value: unknown): { toolChoice?: LanguageModelV4ToolChoice; parallel?: boolean } {
  if (isAbsent(value)) return {};
  const choice = object(value, "tool_choice");
  const type = oneOf(choice.type, "tool_choice.type", ["auto", "any", "tool", "none"]);
  const single = optionalFlag(choice.disable_parallel_tool_use, "tool_choice.disable_parallel_tool_use") ?? false;
  const parallel = single ? { parallel: false } : {};
  if (type === "tool") return { toolChoice: { type, toolName: name(choice.name, "tool_choice.name") }, ...parallel };
  return { toolChoice: { type: type === "any" ? "required" : type }, ...parallel };
}
