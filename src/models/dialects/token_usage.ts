import type { LanguageModelV4Usage } from "@ai-sdk/provider";
import type { TokenUsage } from "../../ledger/money.ts";
import { isRaw, part, type Raw } from "../usage/counts.ts";
import { usageOf } from "../usage/usage.ts";

/**
 * Token counts of the AI SDK in our classes. The provider's own report, where it came along and makes sense, says more than
 * the SDK's reading of it: cache writes by how long they are kept, audio, reasoning counted beside the output. All zero when
 * nothing was reported.
 */
export function toTokenUsage({ inputTokens, outputTokens, raw }: LanguageModelV4Usage): TokenUsage {
  const reported = isRaw(raw) ? usageOf(dialectOf(raw), raw) : null;
  if (reported) return reported;
  const cacheRead = whole(inputTokens.cacheRead);
  const cacheWrite = whole(inputTokens.cacheWrite);
  const reasoning = whole(outputTokens.reasoning);
  return {
    input: whole(inputTokens.noCache ?? whole(inputTokens.total) - cacheRead - cacheWrite),
    output: whole(outputTokens.text ?? whole(outputTokens.total) - reasoning),
    ...(cacheRead > 0 ? { cacheRead } : {}),
    ...(cacheWrite > 0 ? { cacheWrite } : {}),
    ...(reasoning > 0 ? { reasoning } : {}),
  };
}

/** Counts made here, as the AI SDK has them. */
export const toModelUsage = ({ input, output }: TokenUsage): LanguageModelV4Usage => ({
  inputTokens: { total: input, noCache: input, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: output, text: output, reasoning: undefined },
});

/** A count that makes sense; none counts as nothing. */
const whole = (count: number | undefined): number => (Number.isSafeInteger(count) ? Math.max(0, count as number) : 0);

function dialectOf(raw: Raw): "openai-chat" | "openai-responses" | "anthropic" {
  if ("prompt_tokens" in raw) return "openai-chat";
  const anthropic =
    "cache_read_input_tokens" in raw ||
    "cache_creation_input_tokens" in raw ||
    "cache_creation" in raw ||
    "thinking_tokens" in part(raw, "output_tokens_details");
  return anthropic ? "anthropic" : "openai-responses";
}

/** Totals as a dialect's usage object is written from. */
export interface Totals {
  /** Outside the cache, audio included. */
  fresh: number;
  cacheRead: number;
  /** For however long. */
  cacheWrite: number;
  cacheWrite1h: number;
  /** Everything read. */
  input: number;
  reasoning: number;
  /** Everything written, reasoning included. */
  output: number;
}

export function totalsOf(usage: LanguageModelV4Usage): Totals {
  const of = toTokenUsage(usage);
  const fresh = of.input + (of.inputAudio ?? 0);
  const cacheRead = (of.cacheRead ?? 0) + (of.cacheReadAudio ?? 0);
  const cacheWrite1h = of.cacheWrite1h ?? 0;
  const cacheWrite = (of.cacheWrite ?? 0) + cacheWrite1h;
  const reasoning = of.reasoning ?? 0;
  const output = of.output + (of.outputAudio ?? 0) + reasoning;
  return { fresh, cacheRead, cacheWrite, cacheWrite1h, input: fresh + cacheRead + cacheWrite, reasoning, output };
}
