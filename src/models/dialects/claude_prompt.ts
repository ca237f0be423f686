import type { LanguageModelV4Message, LanguageModelV4Prompt } from "@ai-sdk/provider";
import { refuse } from "./fields.ts";
import { isSealed } from "./sealed.ts";

/**
 * A conversation as Anthropic takes it: no text without a word, no thought that it did not sign, ids of tool calls in its
 * alphabet, and something for the model to answer. Instructions alone are asked as the user's: OpenAI answers them too.
 * @throws WaypostError `invalid_input` naming the field when there is nothing to answer
 */
export function claudePrompt(prompt: LanguageModelV4Prompt, field: string): LanguageModelV4Prompt {
  const ids = new CallIds();
  const said = prompt.flatMap((message) => withWords(message, ids));
  if (said.some(({ role }) => role !== "system")) return said;
  const content = said.flatMap(({ role, content }) =>
    role === "system" ? [{ type: "text" as const, text: content }] : [],
  );
  if (content.length === 0) refuse(field, "must hold words or a file for the model to answer");
  return [{ role: "user", content }];
}

const isBlank = (text: string): boolean => text.trim() === "";

/** The message without what is blank; nothing when that was all. */
function withWords(message: LanguageModelV4Message, ids: CallIds): LanguageModelV4Message[] {
  switch (message.role) {
    case "system":
      return isBlank(message.content) ? [] : [message];
    case "user": {
      const content = message.content.filter((part) => part.type !== "text" || !isBlank(part.text));
      return content.length > 0 ? [{ ...message, content }] : [];
    }
    case "assistant": {
      const kept = message.content.filter((part) =>
        part.type === "text" ? !isBlank(part.text) : part.type !== "reasoning" || isSealed(part),
      );
      const content = kept.map((part) =>
        part.type === "tool-call" ? { ...part, toolCallId: ids.of(part.toolCallId) } : part,
      );
      return content.length > 0 ? [{ ...message, content }] : [];
    }
    case "tool": {
      const content = message.content.map((part) =>
        part.type === "tool-result" ? { ...part, toolCallId: ids.of(part.toolCallId) } : part,
      );
      return [{ ...message, content }];
    }
  }
}

/** What Anthropic does not take in the id of a tool call. */
const FOREIGN = /[^a-zA-Z0-9_-]/g;

/** Ids of tool calls in Anthropic's alphabet. The same id is always given the same, and ids that differ stay different. */
class CallIds {
  readonly #given = new Map<string, string>();
  readonly #taken = new Set<string>();
  /** How often an id became the same in Anthropic's alphabet, so that the next free one is found at once. */
  readonly #times = new Map<string, number>();

  of(id: string): string {
    const known = this.#given.get(id);
    if (known !== undefined) return known;
    const spelt = id.replace(FOREIGN, "_");
    let free = spelt;
    let n = this.#times.get(spelt) ?? 1;
    while (this.#taken.has(free)) free = `${spelt}_${++n}`;
    this.#times.set(spelt, n);
    this.#taken.add(free);
    this.#given.set(id, free);
    return free;
  }
}
