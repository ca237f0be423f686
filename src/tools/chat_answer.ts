import { WaypostError } from "../errors.ts";
import type { TokenUsage } from "../ledger/money.ts";
import type { ChatModel, FinishReason } from "../models/types.ts";
import type { Prompt } from "./chat_prompt.ts";
import type { Call } from "./define.ts";
import { Leaving } from "./leaving.ts";

export interface Answer {
  text: string;
  reason: FinishReason;
  usage: TokenUsage;
  estimated: boolean;
}

/**
 * Has the model answer. A provider that fails is free, also midway; a caller who leaves pays for what was produced: as the
 * provider reports it when the rest was worth reading, else as it was counted here. `kept`: the answer is stored.
 */
export async function ask(
  call: Call,
  model: ChatModel,
  prompt: Prompt,
  temperature: number | undefined,
  kept: boolean,
): Promise<Answer> {
  const { messages, passages, maxOutputTokens } = prompt;
  const { streamed } = call;
  const leaving = new Leaving(call.signal, call.left, kept);
  const { signal } = leaving;
  let text = "";
  try {
    for await (const event of model.stream({ messages, passages, maxOutputTokens, temperature, streamed, signal })) {
      if (event.type === "finish") {
        const { reason, usage, estimated } = event;
        return { text, reason, usage, estimated };
      }
      text += event.text;
      call.emit(event);
      leaving.read(event.text);
    }
  } catch (error) {
    if (!(error instanceof WaypostError)) throw error;
    fail(call, model, error);
  } finally {
    leaving.close();
  }
  throw new Error("a model's stream ended without its last event");
}

function fail(call: Call, model: ChatModel, error: WaypostError): never {
  const { usage, ...extras } = error.extras;
  const late = call.signal.aborted && (call.signal.reason as Error).name === "TimeoutError";
  const code = late ? "provider_timeout" : error.code;
  const detail = late ? `${model.info.id} had not finished when the call's time was up.` : error.detail;
  if (!usage || code !== "client_closed") throw new WaypostError(code, detail, extras);
  call.charge(usage as TokenUsage, { model: model.info.id, estimated: true });
  call.failBilled(code, detail, extras);
}
