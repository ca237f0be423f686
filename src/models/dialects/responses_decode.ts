import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from "@ai-sdk/provider";
import {
  defined,
  type Fields,
  isAbsent,
  isObject,
  list,
  name,
  object,
  oneOf,
  optionalCount,
  optionalFlag,
  optionalOneOf,
  optionalText,
  present,
  type Refused,
  refuse,
  refuseFields,
  turnedOn,
} from "./fields.ts";
import { allowedTools, EFFORTS, parallelOf, sampling, schemaFormat } from "./openai_chat_decode.ts";
import { providerOptions } from "./provider_options.ts";
import { readInput } from "./responses_input.ts";
import { functionTool, toolOptions } from "./tools.ts";
import type { Decoded } from "./types.ts";

const KEPT = "conversations are not kept at a provider; send all items in input";
const LOGPROBS = "log probabilities are not offered";

const REFUSED: Refused = {
  background: { asks: turnedOn, why: "the answer comes with the call" },
  previous_response_id: { asks: present, why: KEPT },
  conversation: { asks: present, why: KEPT },
  prompt: { asks: present, why: "prompts are not kept at a provider; send instructions and input" },
  moderation: { asks: present, why: "moderation at a provider is not offered" },
  top_logprobs: { asks: (n) => !isAbsent(n) && n !== 0, why: LOGPROBS },
  include: { asks: (of) => Array.isArray(of) && of.includes("message.output_text.logprobs"), why: LOGPROBS },
};

/** A request to `/v1/responses`. */
export function decodeResponses(body: Fields): Decoded {
  refuseFields(body, REFUSED);
  const maxOutputTokens = optionalCount(body.max_output_tokens, "max_output_tokens");
  const said = isAbsent(body.text) ? {} : object(body.text, "text");
  const reasoning = isAbsent(body.reasoning) ? {} : object(body.reasoning, "reasoning");
  const format = textFormat(said.format);
  const options: LanguageModelV4CallOptions = defined({
    prompt: readInput(body.instructions, body.input),
    maxOutputTokens,
    ...sampling(body),
    reasoning: optionalOneOf(reasoning.effort, "reasoning.effort", EFFORTS),
    responseFormat: format?.responseFormat,
    ...chosenTools(body),
    ...providerOptions({
      parallel: parallelOf(body),
      strictSchema: format?.strict,
      verbosity: optionalText(said.verbosity, "text.verbosity"),
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

function textFormat(value: unknown): ReturnType<typeof schemaFormat> | undefined {
  if (isAbsent(value)) return undefined;
  const format = object(value, "text.format");
  const type = oneOf(format.type, "text.format.type", ["text", "json_object", "json_schema"]);
  if (type === "text") return undefined;
  return type === "json_object" ? { responseFormat: { type: "json" } } : schemaFormat(format, "text.format");
}

function chosenTools(body: Fields): Pick<LanguageModelV4CallOptions, "tools" | "toolChoice"> {
  const tools = isAbsent(body.tools) ? [] : list(body.tools, "tools").map(readTool);
  const choice = body.tool_choice;
  if (isObject(choice) && choice.type === "allowed_tools") {
    return allowedTools(tools, choice, "tool_choice", (tool) => tool);
  }
  return toolOptions(tools, toolChoice(choice), "tool_choice");
}

function readTool(value: unknown, i: number): LanguageModelV4FunctionTool {
  const path = `tools.${i}`;
  const tool = object(value, path);
  if (tool.type !== "function") refuse(`${path}.type`, "only tools of type function are offered");
  return functionTool(tool, tool.parameters, `${path}.parameters`, path);
}

function toolChoice(value: unknown): LanguageModelV4ToolChoice | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === "string") return { type: oneOf(value, "tool_choice", ["none", "auto", "required"]) };
  const choice = object(value, "tool_choice");
  oneOf(choice.type, "tool_choice.type", ["function"]);
  return { type: "tool", toolName: name(choice.name, "tool_choice.name") };
}
