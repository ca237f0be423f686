import { boundOf } from "./bound.ts";
import { decodeChat } from "./openai_chat_decode.ts";
import { encodeChat } from "./openai_chat_encode.ts";
import { ChatStream } from "./openai_chat_stream.ts";
import { encodeOpenaiError } from "./openai_errors.ts";
import type { Dialect } from "./types.ts";

const READS = { prompt: ["messages", "functions"], schema: ["response_format"] };

/** `/v1/chat/completions`. */
export const openaiChat: Dialect = {
  name: "openai-chat",
  decode: decodeChat,
  encodeWhole: encodeChat,
  encodeStream: (facts) => new ChatStream(facts),
  encodeError: encodeOpenaiError,
  boundTokens: (body, model) => boundOf(body, READS, model),
};
