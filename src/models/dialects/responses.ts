import { boundOf } from "./bound.ts";
import { encodeOpenaiError } from "./openai_errors.ts";
import { decodeResponses } from "./responses_decode.ts";
import { encodeResponse } from "./responses_encode.ts";
import { ResponsesStream } from "./responses_stream.ts";
import type { Dialect } from "./types.ts";

const READS = { prompt: ["instructions", "input"], schema: ["text"] };

/** `/v1/responses`. */
export const openaiResponses: Dialect = {
  name: "openai-responses",
  decode: decodeResponses,
  encodeWhole: encodeResponse,
  encodeStream: (facts) => new ResponsesStream(facts),
  encodeError: encodeOpenaiError,
  boundTokens: (body, model) => boundOf(body, READS, model),
};
