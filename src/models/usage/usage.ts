import type { TokenUsage } from "../../ledger/money.ts";
import { laterUsage, messageUsage } from "./anthropic.ts";
import { isRaw, type Raw } from "./counts.ts";
import { chatUsage, realtimeUsage, responsesUsage } from "./openai.ts";

/** Whose words a usage report is in. `openai-chat` is also what every compatible server speaks. */
export type Dialect = "openai-chat" | "openai-responses" | "openai-realtime" | "anthropic" | "azure" | "workers-ai";

const READERS: Record<Dialect, (usage: Raw) => TokenUsage | null> = {
  "openai-chat": chatUsage,
  "openai-responses": responsesUsage,
  "openai-realtime": realtimeUsage,
  anthropic: messageUsage,
  azure: byShape,
  "workers-ai": byShape,
};

/**
 * The tokens of a call as its provider reports them, by class. `raw` is the parsed JSON of a whole answer, of the last
 * event of a stream, or the usage object in it.
 *
 * Null when there is no report or it contradicts itself: a total is missing, a count is negative, fractional, not a
 * number or beyond a billion, or parts are larger than their whole. Then nothing in it can be trusted, and the caller
 * counts for itself.
 */
export function usageOf(dialect: Dialect, raw: unknown): TokenUsage | null {
  const usage = reportIn(raw);
  return usage ? READERS[dialect](usage) : null;
}

/**
 * The usage of a streamed answer. Give it every event, parsed; those without a report are passed over. A later report
 * stands for the whole call so far: Anthropic's are put together from `message_start` and `message_delta`.
 */
export class StreamedUsage {
  readonly #dialect: Dialect;
  #report: Raw | undefined;
  #ended = false;

  constructor(dialect: Dialect) {
    this.#dialect = dialect;
  }

  /** The report so far; null when there was none that makes sense. */
  get usage(): TokenUsage | null {
    return this.#report ? READERS[this.#dialect](this.#report) : null;
  }

  /** False while the report may still grow: a stream cut here produced more than it says. */
  get complete(): boolean {
    return this.#ended;
  }

  read(event: unknown): void {
    if (!isRaw(event)) return;
    const report = reportIn(event);
    if (!report || report === event) return;
    this.#report = this.#report ? laterUsage(this.#report, report) : report;
    this.#ended = event.type !== "message_start";
  }
}

/** Where dialects keep the report: at the top, or in the response, the message or the result that an envelope holds. */
function reportIn(raw: unknown): Raw | undefined {
  if (!isRaw(raw)) return undefined;
  for (const holder of [raw, raw.response, raw.message, raw.result]) {
    if (isRaw(holder) && isRaw(holder.usage)) return holder.usage;
  }
  return "input_tokens" in raw || "prompt_tokens" in raw ? raw : undefined;
}

/** Azure and Workers AI serve several APIs, each with its own words. */
function byShape(usage: Raw): TokenUsage | null {
  if ("prompt_tokens" in usage) return chatUsage(usage);
  return "cache_read_input_tokens" in usage || "cache_creation_input_tokens" in usage
    ? messageUsage(usage)
    : responsesUsage(usage);
}
