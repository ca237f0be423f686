import type { TokenUsage } from "../../ledger/money.ts";
import { count, needed, part, type Raw, splitInput, usageFrom } from "./counts.ts";

/**
 * `usage` of a chat completion, or of the last chunk of a streamed one. Cached, written and audio tokens are parts of
 * `prompt_tokens`; reasoning and audio are parts of `completion_tokens`, except where `total_tokens` shows that reasoning
 * was counted beside them, as some compatible servers do. Rejected predictions are output, as OpenAI bills them.
 */
export function chatUsage(raw: Raw): TokenUsage | null {
  const read = part(raw, "prompt_tokens_details");
  const written = part(raw, "completion_tokens_details");
  const prompt = needed(raw.prompt_tokens);
  const completion = needed(raw.completion_tokens);
  const reasoning = count(written.reasoning_tokens);
  const outputAudio = count(written.audio_tokens);
  // Compatible servers that cache put the count beside the totals.
  const cached = count(read.cached_tokens ?? raw.cached_tokens ?? raw.prompt_cache_hit_tokens);
  const beside = reasoning > 0 && raw.total_tokens === prompt + completion + reasoning;
  return usageFrom({
    ...splitInput(prompt, cached, count(read.cache_write_tokens), count(read.audio_tokens)),
    output: completion - outputAudio - (beside ? 0 : reasoning),
    reasoning,
    outputAudio,
  });
}

/** `usage` of the Responses API: of a response, or of the event `response.completed`. */
export function responsesUsage(raw: Raw): TokenUsage | null {
  const read = part(raw, "input_tokens_details");
  const reasoning = count(part(raw, "output_tokens_details").reasoning_tokens);
  return usageFrom({
    ...splitInput(needed(raw.input_tokens), count(read.cached_tokens), count(read.cache_write_tokens), 0),
    output: needed(raw.output_tokens) - reasoning,
    reasoning,
    outputAudio: 0,
  });
}

/** `usage` of the Realtime event `response.done`. Pictures count as text. */
export function realtimeUsage(raw: Raw): TokenUsage | null {
  const read = part(raw, "input_token_details");
  const written = part(raw, "output_token_details");
  const cached = count(read.cached_tokens);
  const ofCache = read.cached_tokens_details;
  const cachedAudio = ofCache ? count(part(read, "cached_tokens_details").audio_tokens) : undefined;
  const outputAudio = count(written.audio_tokens);
  return usageFrom({
    ...splitInput(needed(raw.input_tokens), cached, 0, count(read.audio_tokens), cachedAudio),
    output: needed(raw.output_tokens) - outputAudio,
    reasoning: 0,
    outputAudio,
  });
}
