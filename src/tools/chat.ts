import { formatUsd, isPriced, totalInput, totalOutput } from "../ledger/money.ts";
import type { HoldRequest } from "../ledger/types.ts";
import { groundedMessages } from "../models/prompt.ts";
import { explained } from "../models/routing/explained.ts";
import type { ChatMessage, ChatModel, ModelInfo, Models } from "../models/types.ts";
import { type Answer, ask } from "./chat_answer.ts";
import { guarded, redacts } from "./chat_guard.ts";
import { LATER, later } from "./chat_later.ts";
import { buildPrompts, newMessages, outputTokens, type Prompt, readSession, retrieve, routeOf } from "./chat_prompt.ts";
import { ChatInput, ChatOutput, type ChatReply, type ChatRequest } from "./chat_schema.ts";
import { answerId, storeTurn } from "./chat_turn.ts";
import { citationsOf } from "./citations.ts";
import { confirmSpending } from "./confirm_spending.ts";
import { type Call, defineTool } from "./define.ts";
import { nextLines, nextOf } from "./next_calls.ts";
import { pricedModel } from "./priced_model.ts";
import { applyTemplate } from "./templates.ts";

/** Fewest output tokens worth starting for; asked for less, that is enough. */
const MIN_OUTPUT = 64;

export const chat = defineTool({
  name: "chat",
  title: "Chat",
  description:
    "Asks another language model; returns its answer, tokens and exact cost. For a second opinion, another model's strengths, a " +
    "conversation kept across devices (session_id), or an answer from the user's documents with citations (grounding). Not to " +
    "look passages up (search) or read a conversation (sync_session). Open a citation with fetch. Cloud models cost money.",
  scope: "chat",
  annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  input: ChatInput,
  output: ChatOutput,
  rest: { method: "post", path: "/chat" },
  metered: true,
  streams: true,
  session: ({ session_id }) => session_id,
  prefers: ({ model }) => model === "auto",
  quote: (input, models) => {
    if (!quotable(input)) return undefined;
    const messages = newMessages(input);
    const candidates = routeOf(models, input, null).models.map(({ info }) => {
      return { info, messages, maxOutputTokens: outputTokens(input.max_tokens, info) };
    });
    return holdFor(models, candidates);
  },
  run: async (call, given) => {
    const input = await applyTemplate(call, given);
    const session = input.session_id ? await readSession(call, input.session_id) : null;
    const route = routeOf(call.models, input, session, call.preferred);
    const found = await retrieve(call, input, session, route.models);
    const built = buildPrompts(call, input, route.models, session, found);
    const guard = await guarded(call, input, built, newMessages(input).length);
    const { prompts } = guard;
    const granted = await grant(call, given, prompts);
    const promptFor = (model: ChatModel): Prompt => {
      const prompt = prompts.get(model) as Prompt;
      return { ...prompt, maxOutputTokens: Math.min(granted, prompt.maxOutputTokens) };
    };
    const { answer, model, attempts } = await ask(call, [...prompts.keys()], {
      promptFor,
      temperature: input.temperature,
      // What goes into a session, or answers a repeated call, is found by a client that comes back.
      kept: input.session_id !== undefined || call.attempt !== call.id,
    });
    const { usage, estimated } = answer;
    const prompt = prompts.get(model) as Prompt;
    const cost = call.charge(usage, { model: model.info.id, estimated });
    const asked = granted < prompt.maxOutputTokens ? { max_tokens: granted } : {};
    const told = toReply(call, model.info, explained(route.why, model.info, attempts), prompt, answer, cost);
    const reply = {
      ...told,
      ...(guard.cached ? { usage: { ...told.usage, cached: true } } : {}),
      ...(attempts.length > 1 ? { attempts } : {}),
      ...asked,
    };
    const sessionId = input.session_id ?? call.keepIn?.();
    if (!sessionId) return { ...reply, ...following(reply) };
    await storeTurn(call, sessionId, session, newMessages(input), reply);
    return { ...reply, session_id: sessionId, ...following(reply, sessionId) };
  },
  settled: (reply, { funding, priceVersion, left }, call_id) => ({
    ...reply,
    cost: { ...reply.cost, funding, price_version: priceVersion, call_id },
    left,
  }),
  later,
  text: (reply) => {
    if (reply.finish_reason === LATER) return [reply.text, ...nextLines(reply.next)].join("\n");
    const sources = reply.citations.map(({ n, title, id, url }) => `[${n}] ${title} (${id})${url ? ` ${url}` : ""}`);
    const limit = reply.max_tokens === undefined ? "max_tokens" : `the ${reply.max_tokens} tokens that could be paid`;
    const cut = reply.finish_reason === "length" ? `, cut at ${limit}` : "";
    const { usage, cost } = reply;
    const tokens = `${usage.input_tokens + usage.cache_read_tokens} + ${usage.output_tokens} tokens`;
    const footer = `(${reply.model}, ${tokens}${usage.estimated ? " estimated" : ""}, ${cost.usd} USD${cut})`;
    return [
      reply.text,
      ...(sources.length > 0 ? [`Sources:\n${sources.join("\n")}`] : []),
      footer,
      ...nextLines(reply.next),
    ].join("\n\n");
  },
});

/** A cut answer of a session can be gone on with; a citation can be opened. */
function following({ finish_reason, model, citations: [first] }: ChatReply, session_id?: string) {
  return nextOf([
    finish_reason === "length" &&
      session_id !== undefined && {
        tool: "chat",
        arguments: { message: "Go on where you stopped.", session_id, model },
        why: "for the rest of the answer",
      },
    first && { tool: "fetch", arguments: { id: first.id }, why: `to read what [${first.n}] cites` },
  ]);
}

/** The input alone tells the prompt: nothing is read from a session or retrieved. */
const quotable = (input: ChatRequest): boolean =>
  !input.session_id && !input.grounding && !input.template && !redacts(input);

const needsHold = ({ price, needsPassages }: ModelInfo): boolean => !needsPassages && isPriced(price);

interface Candidate {
  info: ModelInfo;
  messages: ChatMessage[];
  maxOutputTokens: number;
}

/** Covers whichever of the models answers; nothing is held when none of them costs anything. */
function holdFor(models: Models, candidates: Candidate[]): HoldRequest | undefined {
  if (!candidates.some(({ info }) => needsHold(info))) return undefined;
  const [first, ...others] = candidates.map(({ info }) => pricedModel(info));
  if (!first) return undefined;
  const maxOutputTokens = Math.max(...candidates.map((each) => each.maxOutputTokens));
  const prompts = new Set(candidates.map(({ messages }) => messages));
  return {
    ...first,
    ...(others.length > 0 ? { alternatives: others } : {}),
    inputTokens: Math.max(...[...prompts].map((messages) => models.boundTokens(messages))),
    maxOutputTokens,
    minOutputTokens: Math.min(MIN_OUTPUT, maxOutputTokens),
  };
}

/** Output tokens that are paid for: granted at admission, reserved now that the prompt is known, or free. */
async function grant(call: Call, input: ChatRequest, prompts: ReadonlyMap<ChatModel, Prompt>): Promise<number> {
  const wanted = Math.max(...[...prompts.values()].map(({ maxOutputTokens }) => maxOutputTokens));
  const needed = () =>
    holdFor(
      call.models,
      [...prompts].map(([{ info }, { messages, passages, maxOutputTokens }]) => ({
        info,
        messages: groundedMessages(messages, passages),
        maxOutputTokens,
      })),
    );
  if (quotable(input) && call.preferred === undefined) {
    const granted = Math.min(call.granted ?? wanted, wanted);
    confirmSpending(call, input.confirm, () => ({ hold: needed(), outputTokens: granted }));
    return granted;
  }
  const hold = needed();
  confirmSpending(call, input.confirm, () => ({ hold, outputTokens: wanted }));
  return hold ? call.reserve(hold) : wanted;
}

function toReply(call: Call, info: ModelInfo, why: string, prompt: Prompt, answer: Answer, cost: number): ChatReply {
  const { text, reason, usage, estimated } = answer;
  const citations = citationsOf(answer.cited, prompt.hits);
  return {
    id: answerId(call.attempt),
    model: info.id,
    provider: info.provider,
    why,
    text,
    finish_reason: reason,
    grounded: citations.length > 0,
    citations,
    usage: {
      input_tokens: totalInput(usage) - (usage.cacheRead ?? 0) - (usage.cacheReadAudio ?? 0),
      output_tokens: totalOutput(usage),
      cache_read_tokens: (usage.cacheRead ?? 0) + (usage.cacheReadAudio ?? 0),
      estimated,
    },
    cost: { nano_usd: cost, usd: formatUsd(cost) },
  };
}
