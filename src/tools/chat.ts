import { formatUsd, isPriced, totalInput, totalOutput } from "../ledger/money.ts";
import type { HoldRequest } from "../ledger/types.ts";
import { groundedMessages } from "../models/prompt.ts";
import type { ChatMessage, ModelInfo, Models } from "../models/types.ts";
import type { SearchHit } from "../vault/types.ts";
import { type Answer, ask } from "./chat_answer.ts";
import {
  buildPrompt,
  chooseModel,
  newMessages,
  outputTokens,
  type Prompt,
  readSession,
  retrieve,
} from "./chat_prompt.ts";
import { ChatInput, ChatOutput, type ChatReply, type ChatRequest } from "./chat_schema.ts";
import { answerId, storeTurn } from "./chat_turn.ts";
import { type Call, defineTool } from "./define.ts";

/** Fewest output tokens worth starting for; asked for less, that is enough. */
const MIN_OUTPUT = 64;

export const chat = defineTool({
  name: "chat",
  title: "Chat",
  description:
    "Asks a language model; returns its answer, token counts and exact cost. For a second opinion, another model's strengths, a " +
    "conversation kept across devices (session_id), or an answer from the user's documents with citations (grounding). Not to " +
    "look passages up (search). Open a citation with fetch, a session with sync_session. Cloud models cost money.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: ChatInput,
  output: ChatOutput,
  rest: { method: "post", path: "/chat" },
  metered: true,
  streams: true,
  session: ({ session_id }) => session_id,
  quote: (input, models) => {
    if (!quotable(input)) return undefined;
    const { info } = models.resolve(input.model).model;
    return needsHold(info)
      ? holdFor(models, info, newMessages(input), outputTokens(input.max_tokens, info))
      : undefined;
  },
  run: async (call, input) => {
    const session = input.session_id ? await readSession(call, input.session_id) : null;
    const { model, why } = chooseModel(call.models, input.model, session);
    const hits = await retrieve(call, input, model.info);
    const prompt = buildPrompt(call, input, model.info, session, hits);
    const granted = await grant(call, input, model.info, prompt);
    // What goes into a session, or answers a repeated call, is found by a client that comes back.
    const kept = input.session_id !== undefined || call.attempt !== call.id;
    const answer = await ask(call, model, { ...prompt, maxOutputTokens: granted }, input.temperature, kept);
    const { usage, estimated } = answer;
    const cost = call.charge(usage, { model: model.info.id, estimated });
    const asked = granted < prompt.maxOutputTokens ? { max_tokens: granted } : {};
    const reply = { ...toReply(call, model.info, why, prompt, answer, cost), ...asked };
    if (!input.session_id) return reply;
    await storeTurn(call, input.session_id, session, newMessages(input), reply);
    return { ...reply, session_id: input.session_id };
  },
  settled: (reply, { funding, priceVersion, left }, call_id) => ({
    ...reply,
    cost: { ...reply.cost, funding, price_version: priceVersion, call_id },
    left,
  }),
  text: (reply) => {
    const sources = reply.citations.map(({ n, title, id, url }) => `[${n}] ${title} (${id})${url ? ` ${url}` : ""}`);
    const limit = reply.max_tokens === undefined ? "max_tokens" : `the ${reply.max_tokens} tokens that could be paid`;
    const cut = reply.finish_reason === "length" ? `, cut at ${limit}` : "";
    const { usage, cost } = reply;
    const tokens = `${usage.input_tokens + usage.cache_read_tokens} + ${usage.output_tokens} tokens`;
    const footer = `(${reply.model}, ${tokens}${usage.estimated ? " estimated" : ""}, ${cost.usd} USD${cut})`;
    return [reply.text, ...(sources.length > 0 ? [`Sources:\n${sources.join("\n")}`] : []), footer].join("\n\n");
  },
});

/** The input alone tells the prompt: nothing is read from a session or retrieved. */
const quotable = (input: ChatRequest): boolean => !input.session_id && !input.grounding;

const needsHold = ({ price, needsPassages }: ModelInfo): boolean => !needsPassages && isPriced(price);

function holdFor(models: Models, info: ModelInfo, messages: ChatMessage[], maxOutputTokens: number): HoldRequest {
  return {
    model: info.id,
    provider: info.provider,
    price: info.price,
    markupBps: info.markupBps,
    ...(info.planMarkups ? { planMarkups: info.planMarkups } : {}),
    inputTokens: models.boundTokens(messages),
    maxOutputTokens,
    minOutputTokens: Math.min(MIN_OUTPUT, maxOutputTokens),
  };
}

/** Output tokens that are paid for: granted at admission, reserved now that the prompt is known, or free. */
async function grant(call: Call, input: ChatRequest, info: ModelInfo, prompt: Prompt): Promise<number> {
  if (!needsHold(info)) return prompt.maxOutputTokens;
  if (quotable(input)) return Math.min(call.granted ?? prompt.maxOutputTokens, prompt.maxOutputTokens);
  const messages = groundedMessages(prompt.messages, prompt.passages);
  return call.reserve(holdFor(call.models, info, messages, prompt.maxOutputTokens));
}

function toReply(call: Call, info: ModelInfo, why: string, prompt: Prompt, answer: Answer, cost: number): ChatReply {
  const { text, reason, usage, estimated } = answer;
  return {
    id: answerId(call.attempt),
    model: info.id,
    provider: info.provider,
    why,
    text,
    finish_reason: reason,
    grounded: prompt.passages.length > 0,
    citations: cited(text, prompt.hits),
    usage: {
      input_tokens: totalInput(usage) - (usage.cacheRead ?? 0) - (usage.cacheReadAudio ?? 0),
      output_tokens: totalOutput(usage),
      cache_read_tokens: (usage.cacheRead ?? 0) + (usage.cacheReadAudio ?? 0),
      estimated,
    },
    cost: { nano_usd: cost, usd: formatUsd(cost) },
  };
}

/** The passages an answer refers to, as [2] or [1, 3], by number; numbers that no passage has are left out. */
export function cited(text: string, hits: readonly SearchHit[]): ChatReply["citations"] {
  const numbers = new Set(
    [...text.matchAll(/\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]/g)].flatMap(([, list]) => (list ?? "").split(",").map(Number)),
  );
  return hits.flatMap(({ id, title, url, snippet }, i) =>
    numbers.has(i + 1) ? [{ n: i + 1, id, title, url, snippet }] : [],
  );
}
