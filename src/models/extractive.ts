import { WaypostError } from "../errors.ts";
import { selectSentences } from "./extractive_select.ts";
import { withoutCitations } from "./prompt_citations.ts";
import { withoutUnseen } from "./prompt_fence.ts";
import { questionOf } from "./prompt_question.ts";
import { estimatePrompt, estimateTokens } from "./tokens.ts";
import type { ChatModel, FinishReason, ModelEvent, ModelInfo, ModelRequest } from "./types.ts";

/** What the model says when no passage answers. */
export const NO_ANSWER = "Nothing in your documents answers this.";

export const EXTRACTIVE: ModelInfo = {
  id: "local/extractive",
  provider: "local",
  name: "extractive",
  model: "extractive",
  priceClass: "local",
  markupBps: 10_000,
  price: { input: 0, output: 0 },
  contextTokens: 1_000_000,
  maxOutputTokens: 4096,
  needsPassages: true,
};

/**
 * The embedded model: answers from passages by quoting the sentences that meet the question, each with its [n], best
 * first; says so when none does. Never adds a word of its own to what the passages say.
 */
export const extractive: ChatModel = { info: EXTRACTIVE, stream };

async function* stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
  const question = questionOf(request.messages);
  const input = estimatePrompt([
    { role: "user", content: question },
    ...request.passages.map(({ text }) => ({ role: "user" as const, content: text })),
  ]);
  const chosen = selectSentences(question, request.passages);
  const pieces = chosen.length > 0 ? chosen.map(({ text, n }) => `${quoted(text)} [${n}]`) : [NO_ANSWER];
  let output = 0;
  let reason: FinishReason = "stop";
  for (const [i, piece] of pieces.entries()) {
    if (request.signal.aborted) throw new WaypostError("client_closed", "The call was cancelled.");
    const text = i === 0 ? piece : ` ${piece}`;
    const tokens = estimateTokens(text);
    if (output + tokens > request.maxOutputTokens) {
      reason = "length";
      break;
    }
    output += tokens;
    yield { type: "delta", text };
  }
  yield { type: "finish", reason, usage: { input, output }, estimated: false };
}

/** As it stands in the passage, less what would read as a citation of ours, as code without an end, or be read by nobody. */
function quoted(text: string): string {
  const clean = withoutUnseen(withoutCitations(text)).trim();
  const ticks = clean.split("`").length - 1;
  return ticks % 2 === 0 ? clean : clean.replaceAll("`", "");
}
