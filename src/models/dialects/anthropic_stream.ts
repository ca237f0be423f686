import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { WaypostError } from "../../errors.ts";
import { emptyBlock, emptyMessage, messageUsageOf, stopReason } from "./anthropic_encode.ts";
import { anthropicError } from "./anthropic_errors.ts";
import { type Block, Sequence, type Step } from "./blocks.ts";
import { typedFrame } from "./sse_frames.ts";
import type { AnswerFacts, StreamEncoder } from "./types.ts";

const NOTHING_YET = {
  inputTokens: { total: 0, noCache: 0, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 0, text: 0, reasoning: 0 },
};

/**
 * Writes the events of the Messages API: `message_start`, the blocks one after the other, `message_delta` with the reason of
 * the end and the usage, `message_stop`. What was read is only known at the end, so `message_start` counts nothing.
 */
export class MessageStream implements StreamEncoder {
  readonly #facts: AnswerFacts;
  readonly #sequence = new Sequence();
  #begun = false;
  #finished = false;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  push(part: LanguageModelV4StreamPart): string {
    if (part.type === "ping") return this.#begun ? typedFrame({ type: "ping" }) : "";
    if (part.type !== "finish") return this.#write(this.#sequence.push(part));
    const frames = this.#begin() + this.#write(this.#sequence.end());
    this.#finished = true;
    const calls = this.#sequence.blocks.some(({ kind }) => kind === "tool");
    const stop_reason = stopReason(part.finishReason, calls);
    const delta = { stop_reason, stop_sequence: null, stop_details: null, container: null };
    return frames + typedFrame(of("message_delta", { delta, usage: messageUsageOf(part.usage) }));
  }

  end(): string {
    return this.#finished ? typedFrame({ type: "message_stop" }) : "";
  }

  fail(error: WaypostError): string {
    return typedFrame(of("error", { error: anthropicError(error) }));
  }

  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    const message = { ...emptyMessage(this.#facts), usage: messageUsageOf(NOTHING_YET) };
    return typedFrame(of("message_start", { message }));
  }

  #write(steps: Step[]): string {
    return steps.reduce((frames, step) => frames + this.#step(step), steps.length > 0 ? this.#begin() : "");
  }

  #step(step: Step): string {
    const { block } = step;
    const index = block.n;
    if (step.do === "add") return typedFrame(of("content_block_delta", { index, delta: deltaOf(block, step.text) }));
    if (step.do === "open") {
      return typedFrame(of("content_block_start", { index, content_block: emptyBlock(block) }));
    }
    const { signature } = block;
    const signed = signature && block.redacted === undefined ? { type: "signature_delta", signature } : undefined;
    const frames = signed ? typedFrame(of("content_block_delta", { index, delta: signed })) : "";
    return frames + typedFrame(of("content_block_stop", { index }));
  }
}

const of = (type: string, fields: object): { type: string } => ({ type, ...fields });

function deltaOf({ kind }: Block, piece: string): Record<string, unknown> {
  if (kind === "text") return { type: "text_delta", text: piece };
  if (kind === "reasoning") return { type: "thinking_delta", thinking: piece };
  return { type: "input_json_delta", partial_json: piece };
}
