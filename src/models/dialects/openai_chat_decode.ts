import type {
  LanguageModelV4CallOptions,
  LanguageModelV4FunctionTool,
  LanguageModelV4ToolChoice,
} from "@ai-sdk/provider";
import {
  defined,
  type Fields,
  filled,
  isAbsent,
  isObject,
  list,
  name,
  object,
  oneOf,
  optionalCount,
  optionalFlag,
  optionalNumber,
  optionalOneOf,
  optionalText,
  present,
  type Refused,
  refuse,
  refuseFields,
  text,
  turnedOn,
} from "./fields.ts";
import { readChatMessages } from "./openai_chat_messages.ts";
import { providerOptions } from "./provider_options.ts";
import { functionTool, schemaOf, toolOptions } from "./tools.ts";
import type { Decoded } from "./types.ts";

export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

const REFUSED: Refused = {
  n: { asks: (n) => !isAbsent(n) && n !== 1, why: "one answer a call is given" },
  logprobs: { asks: turnedOn, why: "log probabilities are not offered" },
  top_logprobs: { asks: (n) => !isAbsent(n) && n !== 0, why: "log probabilities are not offered" },
  logit_bias: { asks: filled, why: "tokens differ between models, so biases cannot be carried over" },
  audio: { asks: present, why: "audio is not offered" },
  modalities: { asks: (of) => Array.isArray(of) && of.some((each) => each !== "text"), why: "answers are text" },
  functions: { asks: present, why: "use tools in its place" },
  function_call: { asks: present, why: "use tool_choice in its place" },
  web_search_options: { asks: present, why: "tools that run at a provider are not offered" },
  moderation: { asks: present, why: "moderation at a provider is not offered" },
};

/** A request to `/v1/chat/completions`. */
export function decodeChat(body: Fields): Decoded {
  refuseFields(body, REFUSED);
  const maxOutputTokens =
    optionalCount(body.max_completion_tokens, "max_completion_tokens") ?? optionalCount(body.max_tokens, "max_tokens");
  const streamOptions = isAbsent(body.stream_options) ? {} : object(body.stream_options, "stream_options");
  const format = responseFormat(body.response_format);
  const options: LanguageModelV4CallOptions = defined({
    prompt: readChatMessages(body.messages),
    maxOutputTokens,
    ...sampling(body),
    seed: optionalSeed(body.seed),
    stopSequences: stopSequences(body.stop),
    reasoning: optionalOneOf(body.reasoning_effort, "reasoning_effort", EFFORTS),
    responseFormat: format?.responseFormat,
    ...chosenTools(body),
    ...providerOptions({
      parallel: parallelOf(body),
      strictSchema: format?.strict,
      verbosity: optionalText(body.verbosity, "verbosity"),
    }),
  });
  return {
    model: name(body.model, "model"),
    stream: optionalFlag(body.stream, "stream") ?? false,
    includeUsage: optionalFlag(streamOptions.include_usage, "stream_options.include_usage") ?? false,
    options,
    maxOutputTokens,
  };
}

/** How OpenAI's requests say how an answer is drawn. */
export function sampling(body: Fields): Partial<LanguageModelV4CallOptions> {
  return defined({
    temperature: optionalNumber(body.temperature, "temperature", 0, 2),
    topP: optionalNumber(body.top_p, "top_p", 0, 1),
    presencePenalty: optionalNumber(body.presence_penalty, "presence_penalty", -2, 2),
    frequencyPenalty: optionalNumber(body.frequency_penalty, "frequency_penalty", -2, 2),
  });
}

/** Said of tools only: without any, providers refuse the flag. */
export const parallelOf = (body: Fields): boolean | undefined =>
  isAbsent(body.tools) ? undefined : optionalFlag(body.parallel_tool_calls, "parallel_tool_calls");

function optionalSeed(value: unknown): number | undefined {
  if (isAbsent(value)) return undefined;
  return Number.isSafeInteger(value) ? (value as number) : refuse("seed", "must be a whole number");
}

function stopSequences(value: unknown): string[] | undefined {
  if (isAbsent(value)) return undefined;
  const all = typeof value === "string" ? [value] : list(value, "stop").map((each, i) => text(each, `stop.${i}`));
  return all.length > 0 ? all : undefined;
}

interface Format {
  responseFormat: LanguageModelV4CallOptions["responseFormat"];
  strict?: boolean;
}

function responseFormat(value: unknown): Format | undefined {
  if (isAbsent(value)) return undefined;
  const format = object(value, "response_format");
  const type = oneOf(format.type, "response_format.type", ["text", "json_object", "json_schema"]);
  if (type === "text") return undefined;
  if (type === "json_object") return { responseFormat: { type: "json" } };
  return schemaFormat(object(format.json_schema, "response_format.json_schema"), "response_format.json_schema");
}

/** OpenAI's way to ask for an answer that fits a schema; strictly only when it says so. */
export function schemaFormat(schema: Fields, path: string): Format {
  const responseFormat = defined({
    type: "json" as const,
    schema: isAbsent(schema.schema) ? undefined : schemaOf(schema.schema, `${path}.schema`),
    name: name(schema.name, `${path}.name`),
    description: optionalText(schema.description, `${path}.description`),
  });
  return { responseFormat, strict: optionalFlag(schema.strict, `${path}.strict`) ?? false };
}

function chosenTools(body: Fields): Pick<LanguageModelV4CallOptions, "tools" | "toolChoice"> {
  const tools = isAbsent(body.tools) ? [] : list(body.tools, "tools").map(readTool);
  const choice = body.tool_choice;
  if (isObject(choice) && choice.type === "allowed_tools") {
    const allowed = object(choice.allowed_tools, "tool_choice.allowed_tools");
    return allowedTools(tools, allowed, "tool_choice.allowed_tools", (tool, path) =>
      object(tool.function, `${path}.function`),
    );
  }
  return toolOptions(tools, toolChoice(choice), "tool_choice");
}

function readTool(value: unknown, i: number): LanguageModelV4FunctionTool {
  const tool = object(value, `tools.${i}`);
  if (tool.type !== "function") refuse(`tools.${i}.type`, "only tools of type function are offered");
  const path = `tools.${i}.function`;
  const called = object(tool.function, path);
  return functionTool(called, called.parameters, `${path}.parameters`, path);
}

function toolChoice(value: unknown): LanguageModelV4ToolChoice | undefined {
  if (isAbsent(value)) return undefined;
  if (typeof value === "string") return { type: oneOf(value, "tool_choice", ["none", "auto", "required"]) };
  const choice = object(value, "tool_choice");
  oneOf(choice.type, "tool_choice.type", ["function"]);
  const called = object(choice.function, "tool_choice.function");
  return { type: "tool", toolName: name(called.name, "tool_choice.function.name") };
}

/** A choice among some of the tools: the others are not shown to the model. */
export function allowedTools(
  tools: LanguageModelV4FunctionTool[],
  allowed: Fields,
  path: string,
  named: (tool: Fields, path: string) => Fields,
): Pick<LanguageModelV4CallOptions, "tools" | "toolChoice"> {
  const names = list(allowed.tools, `${path}.tools`).map((each, i) => {
    const at = `${path}.tools.${i}`;
    const tool = object(each, at);
    oneOf(tool.type, `${at}.type`, ["function"]);
    return name(named(tool, at).name, `${at}.name`);
  });
  const missing = names.find((each) => !tools.some((tool) => tool.name === each));
  if (missing !== undefined) refuse(`${path}.tools`, "names a tool that the request does not have");
  const mode = oneOf(allowed.mode, `${path}.mode`, ["auto", "required"]);
  return toolOptions(
    tools.filter((tool) => names.includes(tool.name)),
    { type: mode },
    path,
  );
}
