import type { LanguageModelV4Prompt, LanguageModelV4ToolResultOutput } from "@ai-sdk/provider";
import { type Fields, isAbsent, list, name, object, oneOf, optionalText, refuse, text } from "./fields.ts";
import { fileOf, imageAt } from "./media.ts";
import { type AssistantPart, PromptBuilder, toolInput, type UserPart } from "./prompt_builder.ts";

const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;

/** `messages` of a chat completion. */
export function readChatMessages(value: unknown): LanguageModelV4Prompt {
  const built = new PromptBuilder();
  const messages = list(value, "messages");
  if (messages.length === 0) refuse("messages", "must not be empty");
  for (const [i, each] of messages.entries()) readMessage(object(each, `messages.${i}`), `messages.${i}`, built);
  return built.prompt;
}

function readMessage(message: Fields, path: string, built: PromptBuilder): void {
  const role = oneOf(message.role, `${path}.role`, ROLES);
  const content = `${path}.content`;
  switch (role) {
    case "system":
    case "developer":
      built.system(texts(message.content, content).join(""));
      break;
    case "user":
      built.user(userParts(message.content, content));
      break;
    case "assistant":
      built.assistant(assistantParts(message, path));
      break;
    case "tool": {
      const id = name(message.tool_call_id, `${path}.tool_call_id`);
      built.toolResult(id, toolOutput(message.content, content), `${path}.tool_call_id`);
    }
  }
}

function texts(value: unknown, path: string): string[] {
  if (typeof value === "string") return [value];
  return list(value, path).map((each, i) => {
    const part = object(each, `${path}.${i}`);
    if (part.type === "refusal") return text(part.refusal, `${path}.${i}.refusal`);
    oneOf(part.type, `${path}.${i}.type`, ["text"]);
    return text(part.text, `${path}.${i}.text`);
  });
}

function userParts(value: unknown, path: string): UserPart[] {
  if (typeof value === "string") return [{ type: "text", text: value }];
  return list(value, path).map((each, i) => userPart(object(each, `${path}.${i}`), `${path}.${i}`));
}

function userPart(part: Fields, path: string): UserPart {
  const type = oneOf(part.type, `${path}.type`, ["text", "image_url", "file"]);
  if (type === "text") return { type, text: text(part.text, `${path}.text`) };
  if (type === "image_url") {
    const image = object(part.image_url, `${path}.image_url`);
    return imageAt(text(image.url, `${path}.image_url.url`), `${path}.image_url.url`);
  }
  const file = object(part.file, `${path}.file`);
  if (!isAbsent(file.file_id))
    refuse(`${path}.file.file_id`, "files kept at a provider cannot be read here; send file_data");
  const filename = optionalText(file.filename, `${path}.file.filename`);
  return fileOf(text(file.file_data, `${path}.file.file_data`), `${path}.file.file_data`, filename);
}

function assistantParts(message: Fields, path: string): AssistantPart[] {
  if (!isAbsent(message.audio)) refuse(`${path}.audio`, "audio is not offered");
  if (!isAbsent(message.function_call)) refuse(`${path}.function_call`, "use tool_calls in its place");
  const reasoning = optionalText(message.reasoning_content, `${path}.reasoning_content`) ?? "";
  const said = isAbsent(message.content) ? [] : texts(message.content, `${path}.content`);
  const refusal = optionalText(message.refusal, `${path}.refusal`) ?? "";
  const calls = isAbsent(message.tool_calls) ? [] : list(message.tool_calls, `${path}.tool_calls`);
  const words = said.join("") + refusal;
  return [
    ...(reasoning === "" ? [] : [{ type: "reasoning" as const, text: reasoning }]),
    ...(words === "" ? [] : [{ type: "text" as const, text: words }]),
    ...calls.map((call, i) => toolCall(object(call, `${path}.tool_calls.${i}`), `${path}.tool_calls.${i}`)),
  ];
}

function toolCall(call: Fields, path: string): AssistantPart {
  if (!isAbsent(call.type)) oneOf(call.type, `${path}.type`, ["function"]);
  const called = object(call.function, `${path}.function`);
  return {
    type: "tool-call",
    toolCallId: name(call.id, `${path}.id`),
    toolName: name(called.name, `${path}.function.name`),
    input: toolInput(text(called.arguments, `${path}.function.arguments`)),
  };
}

function toolOutput(value: unknown, path: string): LanguageModelV4ToolResultOutput {
  return { type: "text", value: texts(value, path).join("") };
}
