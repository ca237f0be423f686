import type { TokenUsage } from "../ledger/money.ts";
import { estimatePrompt, estimateTokens } from "./tokens.ts";
import type { ChatMessage, FinishReason, ModelEvent } from "./types.ts";

/** Keeps count of one answer, so that one without a report, or one that was cut, can be billed for what it gave. */
export class Meter {
  readonly #messages: readonly ChatMessage[];
  readonly #maxOutput: number;
  #output = 0;
  #begun = false;
  #reported: TokenUsage | undefined;
  #prompt: TokenUsage | undefined;

  constructor(messages: readonly ChatMessage[], maxOutput: number) {
    this.#messages = messages;
    this.#maxOutput = maxOutput;
  }

  /** Text that was produced, whether it is shown or not. */
  count(text: string): void {
    if (text === "") return;
    this.#begun = true;
    this.#output += estimateTokens(text);
  }

  /** Takes the provider's own count; the last one stands. */
  report(usage: TokenUsage): void {
    this.#reported = usage;
  }

  /** Takes the provider's own count of the prompt, told before the answer: what an answer that is cut is billed by. */
  prompt(usage: TokenUsage): void {
    const { reasoning: _, outputAudio: __, ...prompt } = usage;
    this.#prompt = prompt;
  }

  /** What was produced so far, counted here; undefined when nothing was. */
  produced(): TokenUsage | undefined {
    return this.#begun ? this.#estimate() : undefined;
  }

  /** The last event of an answer. */
  finish(reason: FinishReason): ModelEvent & { type: "finish" } {
    const usage = this.#reported ?? this.#estimate();
    return { type: "finish", reason, usage, estimated: this.#reported === undefined };
  }

  #estimate(): TokenUsage {
    const output = Math.min(this.#output, this.#maxOutput);
    return this.#prompt ? { ...this.#prompt, output } : { input: estimatePrompt(this.#messages), output };
  }
}
