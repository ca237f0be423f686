import type { LanguageModelV4Prompt } from "@ai-sdk/provider";
import { readResult, readUserPart } from "./anthropic_parts.ts";
import { type Fields, isAbsent, list, name, object, oneOf, refuse, text } from "./fields.ts";
import { type AssistantPart, PromptBuilder, type UserPart } from "./prompt_builder.ts";

/** `system` and `messages` of a request to the Messages API. */
export function readMessages(system: unknown, value: unknown): LanguageModelV4Prompt {
  const built = new PromptBuilder();
  if (!isAbsent(system)) built.system(systemText(system, "system"));
  const messages = list(value, "messages");
  if (messages.length === 0) refuse("messages", "must not be empty");
  for (const [i, each] of messages.entries()) readMessage(object(each, `messages.${i}`), `messages.${i}`, built);
  return built.prompt;
}

function readMessage(message: Fields, path: string, built: PromptBuilder): void {
  const role = oneOf(message.role, `${path}.role`, ["user", "assistant", "system"]);
  const at = `${path}.content`;
  if (role === "system") {
    built.system(systemText(message.content, at));
    return;
  }
  const content = parts(message.content, at);
  if (role === "user") readUser(content, at, built);
  else built.assistant(content.flatMap((part, i) => assistantPart(part, `${at}.${i}`)));
}

function systemText(value: unknown, path: string): string {
  if (typeof value === "string") return value;
  const blocks = list(value, path).map((each, i) => {
    const block = object(each, `${path}.${i}`);
    oneOf(block.type, `${path}.${i}.type`, ["text"]);
    return text(block.text, `${path}.${i}.text`);
  });
  return blocks.join("\n\n");
}

const parts = (value: unknown, path: string): Fields[] =>
  typeof value === "string"
    ? [{ type: "text", text: value }]
    : list(value, path).map((each, i) => object(each, `${path}.${i}`));

/** Results of tools come before what the user adds, as every dialect wants it. */
function readUser(content: Fields[], path: string, built: PromptBuilder): void {
  const added: UserPart[] = [];
  for (const [i, part] of content.entries()) {
    const at = `${path}.${i}`;
    if (part.type !== "tool_result") {
      added.push(...readUserPart(part, at));
      continue;
    }
    const id = name(part.tool_use_id, `${at}.tool_use_id`);
    const { output, pictures } = readResult(part, at);
    built.toolResult(id, output, `${at}.tool_use_id`);
    // Few models take a picture as a tool's result; all that see take one from the user.
    if (pictures.length > 0) added.push({ type: "text", text: `From the tool call ${id}:` }, ...pictures);
  }
  built.user(added);
}

function assistantPart(part: Fields, path: string): AssistantPart[] {
  const type = oneOf(part.type, `${path}.type`, ["text", "thinking", "redacted_thinking", "tool_use"]);
  switch (type) {
    case "text": {
      const words = text(part.text, `${path}.text`);
      return words === "" ? [] : [{ type, text: words }];
    }
    case "thinking": {
      const signature = text(part.signature ?? "", `${path}.signature`);
      const signed = signature === "" ? {} : { providerOptions: { anthropic: { signature } } };
      return [{ type: "reasoning", text: text(part.thinking, `${path}.thinking`), ...signed }];
    }
    case "redacted_thinking": {
      const redactedData = text(part.data, `${path}.data`);
      return [{ type: "reasoning", text: "", providerOptions: { anthropic: { redactedData } } }];
    }
    case "tool_use":
      return [
        {
          type: "tool-call",
          toolCallId: name(part.id, `${path}.id`),
          toolName: name(part.name, `${path}.name`),
          input: part.input ?? {},
        },
      ];
  }
}
