import type {
  LanguageModelV4CallOptions,
  LanguageModelV4GenerateResult,
  LanguageModelV4StreamPart,
} from "@ai-sdk/provider";
import type { WaypostError } from "../../errors.ts";
import type { TokenUsage } from "../../ledger/money.ts";

/** APIs of others that programs speak to Waypost. */
export type DialectName = "openai-chat" | "openai-responses" | "anthropic-messages";

/** A request in a dialect, understood. */
export interface Decoded {
  model: string;
  stream: boolean;
  /** The prompt with its tools, images and wanted form of answer, as the AI SDK has it. `abortSignal` is not set. */
  options: LanguageModelV4CallOptions;
  /** Output tokens wanted; undefined when the caller leaves it open. */
  maxOutputTokens: number | undefined;
  /** The caller asked for usage at the end of a stream, or the dialect always gives it. */
  includeUsage: boolean;
}

/** An error as the dialect's own clients expect it: their typed errors are raised, and they repeat only what can succeed. */
export interface EncodedError {
  status: number;
  headers: Record<string, string>;
  body: Record<string, unknown>;
}

/** What an answer in a dialect says of itself. */
export interface AnswerFacts {
  /** Without the dialect's prefix. */
  id: string;
  /** As the caller named it. */
  model: string;
  /** Seconds since the epoch. */
  created: number;
  /** The caller asked for usage at the end of a stream, or the dialect always gives it. */
  includeUsage: boolean;
  /** The request as it was decoded from, for what an answer repeats of it. */
  request: Record<string, unknown>;
}

/** Writes an answer as a dialect's server-sent events, each ending in a blank line. Every method may give "". */
export interface StreamEncoder {
  push(part: LanguageModelV4StreamPart): string;
  /** The end of the stream; called once, after the last part. */
  end(): string;
  /** The words for a failure in the middle, which ends the stream. */
  fail(error: WaypostError): string;
}

/** Pure translation between a dialect and the AI SDK's neutral form. Nothing here asks anybody. */
export interface Dialect {
  name: DialectName;
  /** @throws WaypostError `invalid_input` naming the field that cannot be understood or honoured */
  decode(body: Record<string, unknown>): Decoded;
  encodeWhole(result: LanguageModelV4GenerateResult, facts: AnswerFacts): Record<string, unknown>;
  encodeStream(facts: AnswerFacts): StreamEncoder;
  /** Its message carries the catalogue's code and next step. */
  encodeError(error: WaypostError, requestId: string): EncodedError;
  /**
   * Upper bound of the input tokens of a request, never below what a provider would count; images and files included. Beyond
   * a model's context for files of unknown length. `model`, the name the provider knows it by, makes it tighter for images.
   */
  boundTokens(body: Record<string, unknown>, model?: string): number;
}

/** Token counts of the AI SDK in our classes. */
export type ToTokenUsage = (usage: LanguageModelV4GenerateResult["usage"]) => TokenUsage;
