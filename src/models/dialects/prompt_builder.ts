import type {
  LanguageModelV4FilePart,
  LanguageModelV4Message,
  LanguageModelV4Prompt,
  LanguageModelV4TextPart,
  LanguageModelV4ToolResultOutput,
} from "@ai-sdk/provider";
import { refuse } from "./fields.ts";

export type UserPart = LanguageModelV4TextPart | LanguageModelV4FilePart;
export type AssistantPart = Extract<LanguageModelV4Message, { role: "assistant" }>["content"][number];

/**
 * Puts a conversation together as the neutral form wants it: what the assistant said in a row is one message, results of
 * tools in a row are one, and every result knows the name of the tool that was called.
 */
export class PromptBuilder {
  readonly prompt: LanguageModelV4Prompt = [];
  readonly #tools = new Map<string, string>();

  system(content: string): void {
    this.prompt.push({ role: "system", content });
  }

  user(content: UserPart[]): void {
    if (content.length > 0) this.prompt.push({ role: "user", content });
  }

  assistant(parts: AssistantPart[]): void {
    for (const part of parts) if (part.type === "tool-call") this.#tools.set(part.toolCallId, part.toolName);
    if (parts.length === 0) return;
    const last = this.prompt.at(-1);
    if (last?.role === "assistant") last.content.push(...parts);
    else this.prompt.push({ role: "assistant", content: [...parts] });
  }

  /** @throws WaypostError `invalid_input` when no call before it has this id */
  toolResult(toolCallId: string, output: LanguageModelV4ToolResultOutput, path: string): void {
    const toolName = this.#tools.get(toolCallId);
    if (toolName === undefined) refuse(path, "answers no tool call of the messages before it");
    const last = this.prompt.at(-1);
    const part = { type: "tool-result" as const, toolCallId, toolName, output };
    if (last?.role === "tool") last.content.push(part);
    else this.prompt.push({ role: "tool", content: [part] });
  }
}

/** What a tool was called with. A model may have written what is no JSON: it is told so in its own words. */
export function toolInput(json: string): unknown {
  if (json.trim() === "") return {};
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
