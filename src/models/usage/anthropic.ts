import type { TokenUsage } from "../../ledger/money.ts";
import { count, needed, part, type Raw, usageFrom } from "./counts.ts";

/**
 * `usage` of a message. `input_tokens` are those outside the cache; cache writes are split by how long they are kept, and
 * what the split leaves out was kept for five minutes. Thinking is a part of the output.
 */
export function messageUsage(raw: Raw): TokenUsage | null {
  const kept = part(raw, "cache_creation");
  const hour = count(kept.ephemeral_1h_input_tokens);
  const minutes = count(kept.ephemeral_5m_input_tokens);
  const written = count(raw.cache_creation_input_tokens, hour + minutes);
  const reasoning = count(part(raw, "output_tokens_details").thinking_tokens);
  return usageFrom({
    input: needed(raw.input_tokens),
    cacheRead: count(raw.cache_read_input_tokens),
    cacheWrite: written >= hour + minutes ? written - hour : Number.NaN,
    cacheWrite1h: hour,
    inputAudio: 0,
    cacheReadAudio: 0,
    output: needed(raw.output_tokens) - reasoning,
    reasoning,
    outputAudio: 0,
  });
}

/** What a later event of a stream says, over what earlier ones said: counts are totals so far, and a null says nothing. */
export function laterUsage(before: Raw, later: Raw): Raw {
  const said = Object.entries(later).filter(([, value]) => value !== null && value !== undefined);
  return { ...before, ...Object.fromEntries(said) };
}
