import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { WaypostError } from "../../errors.ts";
import type { BegunResponse } from "../pass/sent.ts";
import { type Block, Sequence, type Step } from "./blocks.ts";
import { openaiError } from "./openai_errors.ts";
import { emptyItem, emptyResponse, endedResponse, itemOf, textPart } from "./responses_encode.ts";
import { typedFrame } from "./sse_frames.ts";
import type { AnswerFacts, StreamEncoder } from "./types.ts";

/** Writes the typed events of the Responses API, numbered: the response, its items one after the other, the response again. */
export class ResponsesStream implements StreamEncoder {
  readonly #facts: AnswerFacts;
  readonly #sequence = new Sequence();
  /** The response as somebody else has begun it. */
  readonly #told: Record<string, unknown>;
  #number: number;
  #begun: boolean;

  /** `begun`: the response whose stream this one goes on with, under its id and from its next number on. */
  constructor(facts: AnswerFacts, begun?: BegunResponse) {
    this.#facts = facts;
    this.#told = begun?.response ?? {};
    this.#number = begun?.next ?? 0;
    this.#begun = begun !== undefined;
  }

  push(part: LanguageModelV4StreamPart): string {
    if (part.type !== "finish") return this.#write(this.#sequence.push(part));
    const frames = this.#begin() + this.#write(this.#sequence.end());
    const response = endedResponse(this.#items(), part.finishReason, part.usage, this.#facts);
    return frames + this.#event(`response.${response.status}`, { response });
  }

  end(): string {
    return "";
  }

  fail(error: WaypostError): string {
    const { message, param, code } = openaiError(error);
    const frames = this.#begin() + this.#event("error", { code, message, param });
    const told = { code: error.code === "rate_limited" ? "rate_limit_exceeded" : "server_error", message };
    const failed = { status: "failed", error: told, output: this.#items() };
    const response = { ...emptyResponse(this.#facts), ...this.#told, ...failed };
    return frames + this.#event("response.failed", { response });
  }

  #items(): Record<string, unknown>[] {
    return this.#sequence.blocks.map((block) => itemOf(block, this.#facts));
  }

  #begin(): string {
    if (this.#begun) return "";
    this.#begun = true;
    const response = emptyResponse(this.#facts);
    return this.#event("response.created", { response }) + this.#event("response.in_progress", { response });
  }

  #event(type: string, fields: object): string {
    return typedFrame(Object.assign({ type, sequence_number: this.#number++ }, fields));
  }

  #write(steps: Step[]): string {
    return steps.reduce((frames, step) => frames + this.#step(step), steps.length > 0 ? this.#begin() : "");
  }

  #step(step: Step): string {
    const { block } = step;
    if (step.do === "add") return this.#inner(`${NAMES[block.kind]}.delta`, block, { delta: step.text });
    return step.do === "open" ? this.#open(block) : this.#close(block);
  }

  #open(block: Block): string {
    const item = emptyItem(block, this.#facts);
    const added = this.#event("response.output_item.added", { output_index: block.n, item });
    if (block.kind === "tool") return added;
    const begun = PARTS[block.kind];
    return added + this.#inner(`${begun.name}.added`, block, { part: begun.of("") });
  }

  #close(block: Block): string {
    const whole = block.kind === "tool" ? { arguments: block.text } : { text: block.text };
    let frames = this.#inner(`${NAMES[block.kind]}.done`, block, whole);
    if (block.kind !== "tool") {
      const ended = PARTS[block.kind];
      frames += this.#inner(`${ended.name}.done`, block, { part: ended.of(block.text) });
    }
    const item = itemOf(block, this.#facts);
    return frames + this.#event("response.output_item.done", { output_index: block.n, item });
  }

  /** An event about what is in an item. */
  #inner(type: string, block: Block, fields: object): string {
    const item_id = emptyItem(block, this.#facts).id;
    const place = block.kind === "text" ? { content_index: 0 } : block.kind === "reasoning" ? { summary_index: 0 } : {};
    const logprobs = type.startsWith("response.output_text.") ? { logprobs: [] } : {};
    return this.#event(type, { item_id, output_index: block.n, ...place, ...fields, ...logprobs });
  }
}

const NAMES = {
  text: "response.output_text",
  reasoning: "response.reasoning_summary_text",
  tool: "response.function_call_arguments",
} as const;

const PARTS = {
  text: { name: "response.content_part", of: textPart },
  reasoning: { name: "response.reasoning_summary_part", of: (text: string) => ({ type: "summary_text", text }) },
} as const;
