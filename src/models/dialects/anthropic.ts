import { decodeMessages } from "./anthropic_decode.ts";
import { encodeMessage } from "./anthropic_encode.ts";
import { encodeAnthropicError } from "./anthropic_errors.ts";
import { MessageStream } from "./anthropic_stream.ts";
import { boundOf } from "./bound.ts";
import type { Dialect } from "./types.ts";

const READS = { prompt: ["system", "messages"], schema: ["output_config", "output_format"] };

/** `/v1/messages`. */
export const anthropicMessages: Dialect = {
  name: "anthropic-messages",
  decode: decodeMessages,
  encodeWhole: encodeMessage,
  encodeStream: (facts) => new MessageStream(facts),
  encodeError: encodeAnthropicError,
  boundTokens: (body, model) => boundOf(body, READS, model),
};
