import type { WaypostError } from "../../errors.ts";
import type { TokenUsage } from "../../ledger/money.ts";
import { groundedMessages } from "../prompt.ts";
import { estimatePrompt, estimateTokens } from "../tokens.ts";
import type { ChatModel, ModelEvent, ModelRequest } from "../types.ts";
import type { Verdict } from "./types.ts";
import { Flagged, Windows } from "./windows.ts";

export interface OutputGuard {
  judge(text: string, signal: AbortSignal): Promise<Verdict>;
  /** Notes what was flagged; returns the error that ends the call. `usage`: what the answer had taken, to be billed. */
  flagged(verdict: Verdict, text: string, usage: TokenUsage): Promise<WaypostError>;
}

/** The model with its answer judged before it is shown: whole, or in windows when somebody reads along. */
export const moderating = (model: ChatModel, guard: OutputGuard): ChatModel => ({
  info: model.info,
  stream: (request) => moderated(model, request, guard),
});

async function* moderated(model: ChatModel, request: ModelRequest, guard: OutputGuard): AsyncGenerator<ModelEvent> {
  const windows = new Windows((text) => guard.judge(text, request.signal));
  let output = 0;
  let usage: TokenUsage | undefined;
  try {
    for await (const event of model.stream(request)) {
      if (event.type === "finish") usage = event.usage;
      else output += estimateTokens(event.text);
      const text =
        event.type === "finish" ? await windows.end() : await windows.push(event.text, request.streamed === true);
      if (text) yield { type: "delta", text };
      if (event.type === "finish") yield event;
    }
  } catch (error) {
    if (!(error instanceof Flagged)) throw error;
    const prompt = groundedMessages(request.messages, request.passages);
    usage ??= { input: estimatePrompt(prompt), output: Math.min(output, request.maxOutputTokens) };
    throw await guard.flagged(error.verdict, error.text, usage);
  }
}
