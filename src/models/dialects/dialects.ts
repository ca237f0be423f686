import { anthropicMessages } from "./anthropic.ts";
import { openaiChat } from "./openai_chat.ts";
import { openaiResponses } from "./responses.ts";
import type { Dialect, DialectName } from "./types.ts";

export { forModel } from "./provider_options.ts";
export { toModelUsage, toTokenUsage } from "./token_usage.ts";

export const dialects: Record<DialectName, Dialect> = {
  "openai-chat": openaiChat,
  "openai-responses": openaiResponses,
  "anthropic-messages": anthropicMessages,
};
