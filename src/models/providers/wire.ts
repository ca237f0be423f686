import type { TokenUsage } from "../../ledger/money.ts";
import type { PassPath } from "../pass_target.ts";
import type { Provider } from "../providers.ts";
import type { ChatMessage, FinishReason, ModelInfo, ModelRequest } from "../types.ts";

/** What one piece of an answer, or all of it, says. */
export interface Said {
  text: string;
  /** Thinking that is billed as output and not shown. */
  reasoning: string;
  /** Undefined while the answer goes on. */
  reason: FinishReason | undefined;
  /** Undefined when none was sent or it makes no sense. */
  usage: TokenUsage | undefined;
  /** What the prompt came to, told before the answer is written; its output counts for nothing. */
  prompt?: TokenUsage;
}

/**
 * One event of a stream: what it says, `end` for the last one, `busy` where the provider gives up under its load;
 * undefined when it makes no sense or reports an error.
 */
export type Heard = Said | "end" | "busy" | undefined;

/** How a provider's API puts a question and its answer. */
export interface Wire {
  path: PassPath;
  body(info: ModelInfo, provider: Provider, messages: readonly ChatMessage[], request: ModelRequest): string;
  /** A whole answer; undefined when it is none. */
  whole(json: string): Said | undefined;
  /** Reads the events of one stream, in order. */
  reader(): (data: string) => Heard;
}
