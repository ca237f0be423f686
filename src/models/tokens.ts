import type { ChatMessage } from "./types.ts";

/** What a chat template adds around one message and around the whole prompt, generously. */
const PER_MESSAGE = 16;
const PER_PROMPT = 64;

const encoder = new TextEncoder();

export const utf8Bytes = (text: string): number => encoder.encode(text).length;

/**
 * Upper bound of a prompt's tokens. Every tokenizer in use falls back to bytes at worst, so a text never takes more
 * tokens than it has UTF-8 bytes.
 */
export function boundTokens(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + utf8Bytes(message.content) + PER_MESSAGE, PER_PROMPT);
}

/** Likely tokens of a text: four ASCII characters a token, one token for any other UTF-16 unit. Never above its bytes. */
export function estimateTokens(text: string): number {
  let ascii = 0;
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) < 128) ascii++;
  return Math.ceil(ascii / 4) + (text.length - ascii);
}

/** Likely tokens of a prompt; never above `boundTokens`. */
export function estimatePrompt(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, message) => sum + estimateTokens(message.content) + 4, 3);
}
