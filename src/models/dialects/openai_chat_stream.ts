import type { LanguageModelV4StreamPart } from "@ai-sdk/provider";
import type { WaypostError } from "../../errors.ts";
import { Sequence, type Step } from "./blocks.ts";
import { chatFinish, chatUsageOf } from "./openai_chat_encode.ts";
import { openaiError } from "./openai_errors.ts";
import { dataFrame } from "./sse_frames.ts";
import type { AnswerFacts, StreamEncoder } from "./types.ts";

/** Writes `chat.completion.chunk`s: the role first, then deltas, the reason of the end, usage if asked, `[DONE]`. */
export class ChatStream implements StreamEncoder {
  readonly #facts: AnswerFacts;
  readonly #sequence = new Sequence();
  #begun = false;
  #calls = 0;

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  push(part: LanguageModelV4StreamPart): string {
    const steps = part.type === "finish" ? this.#sequence.end() : this.#sequence.push(part);
    let frames = this.#begin(steps.length > 0 || part.type === "finish");
    for (const step of steps) frames += this.#write(step);
    if (part.type !== "finish") return frames;
    frames += this.#delta({}, chatFinish(part.finishReason, this.#calls > 0));
    return this.#facts.includeUsage ? frames + this.#chunk({ choices: [], usage: chatUsageOf(part.usage) }) : frames;
  }

  end(): string {
    return "data: [DONE]\n\n";
  }

  fail(error: WaypostError): string {
    return dataFrame({ error: openaiError(error) });
  }

  #begin(now: boolean): string {
    if (this.#begun || !now) return "";
    this.#begun = true;
    return this.#delta({ role: "assistant", content: "", refusal: null });
  }

  #write(step: Step): string {
    const { block } = step;
    if (step.do === "open" && block.kind === "tool") {
      const called = { name: block.name, arguments: "" };
      return this.#delta({ tool_calls: [{ index: this.#calls++, id: block.id, type: "function", function: called }] });
    }
    if (step.do !== "add") return "";
    if (block.kind === "text") return this.#delta({ content: step.text });
    if (block.kind === "reasoning") return this.#delta({ reasoning_content: step.text });
    return this.#delta({ tool_calls: [{ index: this.#calls - 1, function: { arguments: step.text } }] });
  }

  #delta(delta: object, finish_reason: string | null = null): string {
    const choices = [{ index: 0, delta, logprobs: null, finish_reason }];
    return this.#chunk({ choices, ...(this.#facts.includeUsage ? { usage: null } : {}) });
  }

  #chunk(fields: object): string {
    const { id, created, model } = this.#facts;
    return dataFrame({ id: `chatcmpl-${id}`, object: "chat.completion.chunk", created, model, ...fields });
  }
}
