import type { TokenUsage } from "../../ledger/money.ts";
import { estimateTokens } from "../../models/tokens.ts";
import type { Plan } from "./plan.ts";

/** Tokens taken for a picture or file whose tokens the provider did not tell. */
const PER_ATTACHMENT = 1_000;
/** A text this long without a blank is data of a picture or file. */
const DATA = 2_000;

/** Counts an answer as it is read, so that one without a report, or one that was cut, can be billed for what it gave. */
export class Reading {
  #tokens = 0;

  said(text: string): void {
    this.#tokens += estimateTokens(text);
  }

  /** Whether anything was produced. */
  get begun(): boolean {
    return this.#tokens > 0;
  }

  /** What was used as far as it can be told here, never more than what was held. `known`: a report of the beginning. */
  estimate(body: unknown, plan: Plan, granted: number, known?: TokenUsage | null): TokenUsage {
    const output = Math.min(this.#tokens, granted * plan.answers);
    if (known) return { ...known, output: Math.max(known.output, output) };
    return { input: Math.min(estimateInput(body), plan.inputTokens), output };
  }
}

/** Likely tokens of everything a request says. */
export function estimateInput(value: unknown): number {
  if (typeof value === "string") return isData(value) ? PER_ATTACHMENT : estimateTokens(value);
  if (typeof value !== "object" || value === null) return 0;
  let sum = 2;
  for (const inner of Object.values(value)) sum += estimateInput(inner);
  return sum;
}

const isData = (text: string): boolean =>
  text.startsWith("data:") || (text.length > DATA && !/\s/.test(text.slice(0, DATA)));
