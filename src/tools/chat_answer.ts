import { WaypostError } from "../errors.ts";
import type { TokenUsage } from "../ledger/money.ts";
import { CitationFilter } from "../models/prompt_citations.ts";
import { type Attempt, Delivered, untilAnswered } from "../models/routing/attempts.ts";
import type { ChatModel, FinishReason } from "../models/types.ts";
import type { Prompt } from "./chat_prompt.ts";
import type { Call } from "./define.ts";
import { Leaving } from "./leaving.ts";
import { Trying } from "./trying.ts";

export interface Answer {
  text: string;
  reason: FinishReason;
  usage: TokenUsage;
  estimated: boolean;
  /** Numbers of the passages it cites. */
  cited: ReadonlySet<number>;
}

/** What is asked of the models, whichever of them answers. */
export interface Question {
  /** Prompt and granted output of each model that may be asked. */
  promptFor(model: ChatModel): Prompt;
  temperature: number | undefined;
  /** The answer is stored, so it is wanted even when nobody waits for it. */
  kept: boolean;
}

/**
 * Has the first model that can answer. A provider that fails is free, also midway; a caller who leaves pays for what
 * was produced: as the provider reports it when the rest was worth reading, else as it was counted here.
 */
export function ask(
  call: Call,
  models: readonly ChatModel[],
  question: Question,
): Promise<{ answer: Answer; model: ChatModel; attempts: Attempt[] }> {
  return untilAnswered(models, new Trying(call, question.kept), (model) => askOnce(call, model, question));
}

const NONE: ReadonlySet<number> = new Set();

async function askOnce(call: Call, model: ChatModel, question: Question): Promise<Answer> {
  const { messages, passages, grounded, maxOutputTokens } = question.promptFor(model);
  const { temperature } = question;
  const { streamed } = call;
  const leaving = new Leaving(call, question.kept);
  const { signal } = leaving;
  // Where no passages were asked for, brackets in the answer are the model's own.
  const citations = grounded ? new CitationFilter(passages.length) : undefined;
  let text = "";
  const tell = (piece: string): void => {
    if (piece === "") return;
    text += piece;
    call.emit({ type: "delta", text: piece });
  };
  try {
    for await (const event of model.stream({ messages, passages, maxOutputTokens, temperature, streamed, signal })) {
      if (event.type === "finish") {
        tell(citations?.end() ?? "");
        const { reason, usage, estimated } = event;
        return { text, reason, usage, estimated, cited: citations?.cited ?? NONE };
      }
      tell(citations ? citations.push(event.text) : event.text);
      leaving.read(event.text);
    }
  } catch (error) {
    if (!(error instanceof WaypostError)) throw error;
    tell(citations?.end() ?? "");
    fail(call, model, error, streamed === true && text !== "");
  } finally {
    leaving.close();
  }
  throw new Error("a model's stream ended without its last event");
}

/** `delivered`: the caller has read a part of the answer. */
function fail(call: Call, model: ChatModel, error: WaypostError, delivered: boolean): never {
  const { usage, ...extras } = error.extras;
  const { id } = model.info;
  const late = call.signal.aborted && (call.signal.reason as Error).name === "TimeoutError";
  const code = late ? "provider_timeout" : error.code;
  const detail = late ? `${id} had not finished when the call's time was up.` : error.detail;
  if (usage && (code === "client_closed" || code === "content_flagged")) {
    call.charge(usage as TokenUsage, { model: id, estimated: true });
    call.failBilled(code, detail, delivered ? { ...extras, partial: true } : extras);
  }
  call.tried(id, code);
  if (delivered)
    throw new Delivered(code, `${detail} A part of the answer had been sent.`, { ...extras, partial: true });
  if (late || usage) throw new WaypostError(code, detail, extras);
  throw error;
}
