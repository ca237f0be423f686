import { unwrap, WaypostError } from "../errors.ts";
import { conversation, groundedMessages, withoutPassages } from "../models/prompt.ts";
import { trimHistory } from "../models/prompt_history.ts";
import { questionOf } from "../models/prompt_question.ts";
import { estimatePrompt } from "../models/tokens.ts";
import type { ChatMessage, ChatModel, ModelInfo, Models, Passage, Route } from "../models/types.ts";
import type { SearchHit, Session } from "../vault/types.ts";
import type { ChatRequest } from "./chat_schema.ts";
import type { Call } from "./define.ts";

/** Newest messages of a session that may go into a prompt. */
const HISTORY_LIMIT = 200;
const DEFAULT_OUTPUT = 4096;
const DEFAULT_PASSAGES = 6;
/** A question longer than this is searched by its beginning. */
const MAX_QUERY_CHARS = 1000;
/** Part of the window that an estimate may fill: it can be off by a quarter. */
const FILL = 0.75;
/** Tokens of what a prompt says about tools' results, when the history has some. */
const RESULT_RULE = 64;

/** What goes to a model: the conversation, the passages it may cite, and the room left for the answer. */
export interface Prompt {
  messages: ChatMessage[];
  passages: Passage[];
  /** The search hits behind `passages`, in the same order. */
  hits: SearchHit[];
  /** The answer was to come from passages: numbers that none of them has are no citations. */
  grounded?: boolean;
  maxOutputTokens: number;
}

export const newMessages = (input: ChatRequest): ChatMessage[] =>
  input.messages ?? [{ role: "user", content: input.message ?? "" }];

/**
 * The session to continue, or null when it does not exist yet.
 * @throws WaypostError `conflict` for one that was deleted: the answer could not be stored, so no model is paid for it
 */
export async function readSession(call: Call, sessionId: string): Promise<Session | null> {
  const found = await call.vault.readSession({ session_id: sessionId, limit: HISTORY_LIMIT });
  if (found.ok || found.code !== "not_found") return unwrap(found);
  if (found.extras?.deleted) {
    throw new WaypostError("conflict", `Session ${sessionId} was deleted; start a new one with another id.`);
  }
  return null;
}

/** Models to ask, the choice first. `preferred`: the account's. */
export function routeOf(models: Models, input: ChatRequest, session: Session | null, preferred?: string): Route {
  const own = session?.model_preference;
  return models.route(input.model, {
    messages: newMessages(input),
    grounded: Boolean(input.grounding),
    preferred: [
      ...(own ? [{ model: own, of: "session" as const }] : []),
      ...(preferred ? [{ model: preferred, of: "account" as const }] : []),
    ],
  });
}

/** Output tokens to ask for: what was wanted, within what the model can write and half of its window. */
export const outputTokens = (wanted: number | undefined, info: ModelInfo): number =>
  Math.min(wanted ?? DEFAULT_OUTPUT, info.maxOutputTokens, Math.floor(info.contextTokens / 2));

const wantsPassages = ({ grounding }: ChatRequest, { info }: ChatModel): boolean =>
  Boolean(grounding) || info.needsPassages;

/** Passages for a question, best first; empty when grounding was not asked for and the models can do without. */
export async function retrieve(
  call: Call,
  input: ChatRequest,
  session: Session | null,
  models: readonly ChatModel[],
): Promise<SearchHit[]> {
  const { grounding } = input;
  if (!models.some((model) => wantsPassages(input, model))) return [];
  const { limit = DEFAULT_PASSAGES, document_ids } = typeof grounding === "object" ? grounding : {};
  const asked = earlier(session, call.attempt).flatMap(({ role, content }) =>
    role === "user" ? [{ role, content }] : [],
  );
  const query = questionOf([...asked, ...newMessages(input)]).slice(0, MAX_QUERY_CHARS);
  if (!query.trim()) return [];
  const found = unwrap(
    await call.vault.search({ query, limit, kinds: ["document"], ...(document_ids ? { document_ids } : {}) }),
  );
  return found.hits;
}

/**
 * The prompt of each model that takes this one; a model that is too small for it is left out while another is not.
 * @throws WaypostError `context_too_long`
 */
export function buildPrompts(
  call: Call,
  input: ChatRequest,
  models: readonly ChatModel[],
  session: Session | null,
  found: SearchHit[],
): Map<ChatModel, Prompt> {
  const prompts = new Map<ChatModel, Prompt>();
  let tooLong: WaypostError | undefined;
  for (const model of models) {
    try {
      prompts.set(model, buildPrompt(call, input, model.info, session, wantsPassages(input, model) ? found : []));
    } catch (error) {
      if (!(error instanceof WaypostError) || error.code !== "context_too_long") throw error;
      tooLong ??= error;
    }
  }
  if (prompts.size === 0 && tooLong) throw tooLong;
  return prompts;
}

/**
 * Fits it all into the model's window: what the user sent now must fit, then as many passages, then as much of the
 * session's history as fit, newest first.
 * @throws WaypostError `context_too_long`
 */
export function buildPrompt(
  call: Call,
  input: ChatRequest,
  info: ModelInfo,
  session: Session | null,
  found: SearchHit[],
): Prompt {
  const maxOutputTokens = outputTokens(input.max_tokens, info);
  const window = info.contextTokens - maxOutputTokens;
  const asked = newMessages(input);
  const notes = session?.context ?? {};
  const fixed = conversation({ notes, asked });
  const fits = (likely: number, share: number): boolean => likely <= window * share;
  const needed = estimatePrompt(fixed);
  if (!fits(needed, 1)) {
    throw new WaypostError(
      "context_too_long",
      `About ${needed} tokens were sent; ${info.id} takes ${window} beside an answer of ${maxOutputTokens}.`,
    );
  }
  const grounded = Boolean(input.grounding) || info.needsPassages;
  // A model that only quotes passages knows by itself what to say without any.
  const ruled = (messages: ChatMessage[], passages: readonly Passage[]): ChatMessage[] =>
    grounded && !info.needsPassages && passages.length === 0 ? withoutPassages(messages) : messages;
  const sizeWith = (passages: Passage[]): number => estimatePrompt(groundedMessages(ruled(fixed, passages), passages));
  let hits = found;
  let size = grounded || hits.length > 0 ? sizeWith(toPassages(hits)) : needed;
  while (hits.length > 0 && !fits(size, FILL)) {
    hits = hits.slice(0, -1);
    size = sizeWith(toPassages(hits));
  }
  const history = trimHistory(earlier(session, call.attempt), window * FILL - size - RESULT_RULE);
  const passages = toPassages(hits);
  const messages = ruled(conversation({ notes, history, asked }), passages);
  return { messages, passages, hits, grounded, maxOutputTokens };
}

/** What the session kept; a repeated attempt leaves out what its first run stored. */
const earlier = (session: Session | null, attempt: string) =>
  session?.messages.filter(({ id }) => !id.startsWith(`${attempt}-`)) ?? [];

const toPassages = (hits: SearchHit[]): Passage[] =>
  hits.map(({ id, title, heading, url, text }, i) => ({
    n: i + 1,
    id,
    title: heading && heading !== title ? `${title}: ${heading}` : title,
    url,
    text,
  }));
