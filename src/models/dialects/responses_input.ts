import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { type Fields, isAbsent, list, name, object, oneOf, optionalText, refuse, text } from "./fields.ts";
import { fileOf, imageAt, webUrl } from "./media.ts";
import { type AssistantPart, PromptBuilder, toolInput, type UserPart } from "./prompt_builder.ts";
import { readSeal } from "./sealed.ts";

/** `instructions` and `input` of a request to the Responses API. */
export function readInput(instructions: unknown, input: unknown): LanguageModelV4Prompt {
  const built = new PromptBuilder();
  const system = optionalText(instructions, "instructions") ?? "";
  if (system !== "") built.system(system);
  if (typeof input === "string") {
    built.user([{ type: "text", text: input }]);
    return built.prompt;
  }
  const items = list(input, "input");
  if (items.length === 0) refuse("input", "must not be empty");
  for (const [i, each] of items.entries()) readItem(object(each, `input.${i}`), `input.${i}`, built);
  return built.prompt;
}

const KEPT = "what is kept at a provider cannot be read here; send the item itself";

function readItem(item: Fields, path: string, built: PromptBuilder): void {
  if (item.type === "item_reference") refuse(`${path}.type`, KEPT);
  const types = ["message", "function_call", "function_call_output", "reasoning"] as const;
  const type = oneOf(item.type ?? "message", `${path}.type`, types);
  if (type === "message") readMessage(item, path, built);
  else if (type === "function_call_output") readOutput(item, path, built);
  else built.assistant(type === "reasoning" ? reasoning(item, path) : [toolCall(item, path)]);
}

function toolCall(item: Fields, path: string): AssistantPart {
  return {
    type: "tool-call",
    toolCallId: name(item.call_id, `${path}.call_id`),
    toolName: name(item.name, `${path}.name`),
    input: toolInput(text(item.arguments, `${path}.arguments`)),
  };
}

function readMessage(item: Fields, path: string, built: PromptBuilder): void {
  const role = oneOf(item.role, `${path}.role`, ["user", "assistant", "system", "developer"]);
  const given = content(item.content, `${path}.content`);
  if (role === "user") {
    built.user(given);
    return;
  }
  const words = given.map((part, i) =>
    part.type === "text" ? part.text : refuse(`${path}.content.${i}`, "must be text"),
  );
  if (role === "assistant") {
    built.assistant(words.filter((each) => each !== "").map((each) => ({ type: "text", text: each })));
  } else {
    built.system(words.join(""));
  }
}

function content(value: unknown, path: string): UserPart[] {
  if (typeof value === "string") return [{ type: "text", text: value }];
  return list(value, path).map((each, i) => contentPart(object(each, `${path}.${i}`), `${path}.${i}`));
}

function contentPart(part: Fields, path: string): UserPart {
  const types = ["input_text", "output_text", "text", "refusal", "input_image", "input_file"] as const;
  const type = oneOf(part.type, `${path}.type`, types);
  if (!isAbsent(part.file_id))
    refuse(`${path}.file_id`, "files kept at a provider cannot be read here; send the content");
  switch (type) {
    case "input_image":
      return imageAt(text(part.image_url, `${path}.image_url`), `${path}.image_url`);
    case "input_file":
      return file(part, path);
    case "refusal":
      return { type: "text", text: text(part.refusal, `${path}.refusal`) };
    default:
      return { type: "text", text: text(part.text, `${path}.text`) };
  }
}

function file(part: Fields, path: string): UserPart {
  const filename = optionalText(part.filename, `${path}.filename`);
  if (isAbsent(part.file_url)) {
    return fileOf(text(part.file_data, `${path}.file_data`), `${path}.file_data`, filename);
  }
  const url = webUrl(text(part.file_url, `${path}.file_url`), `${path}.file_url`);
  const named = filename === undefined ? {} : { filename };
  return { type: "file", mediaType: "application/pdf", data: { type: "url", url }, ...named };
}

function readOutput(item: Fields, path: string, built: PromptBuilder): void {
  const id = name(item.call_id, `${path}.call_id`);
  const given = content(item.output, `${path}.output`);
  const value = given.flatMap((part) => (part.type === "text" ? [part.text] : [])).join("");
  built.toolResult(id, { type: "text", value }, `${path}.call_id`);
  // Few models take a picture as a tool's result; all that see take one from the user.
  const pictures = given.filter(({ type }) => type === "file");
  if (pictures.length > 0) built.user([{ type: "text", text: `From the tool call ${id}:` }, ...pictures]);
}

/** What a model thought, with its seal where that was written here; any other can only be opened by who made it. */
function reasoning(item: Fields, path: string): AssistantPart[] {
  const said = [...list(item.summary ?? [], `${path}.summary`), ...list(item.content ?? [], `${path}.content`)];
  const words = said.map((each, i) => text(object(each, `${path}.summary.${i}`).text, `${path}.summary.${i}.text`));
  const seal = readSeal(item.encrypted_content);
  if (!seal) return words.length > 0 ? [{ type: "reasoning", text: words.join("\n\n") }] : [];
  const { signature, redacted } = seal;
  const anthropic = signature === undefined ? { redactedData: redacted } : { signature };
  return [{ type: "reasoning", text: words.join("\n\n"), providerOptions: { anthropic } }];
}
