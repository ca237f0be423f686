import { unwrap, WaypostError } from "../errors.ts";
import { groundedMessages, sessionMessage } from "../models/prompt.ts";
import { estimatePrompt } from "../models/tokens.ts";
import type { ChatMessage, ModelInfo, Models, Passage } from "../models/types.ts";
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

/** What goes to a model: the conversation, the passages it may cite, and the room left for the answer. */
export interface Prompt {
  messages: ChatMessage[];
  passages: Passage[];
  /** The search hits behind `passages`, in the same order. */
  hits: SearchHit[];
  maxOutputTokens: number;
}

export const newMessages = (input: ChatRequest): ChatMessage[] =>
  input.messages ?? [{ role: "user", content: input.message ?? "" }];

/** The session to continue, or null when it does not exist yet. */
export async function readSession(call: Call, sessionId: string): Promise<Session | null> {
  const found = await call.vault.readSession({ session_id: sessionId, limit: HISTORY_LIMIT });
  return !found.ok && found.code === "not_found" ? null : unwrap(found);
}

/** The model that was asked for; for `auto` in a session, the one the session prefers if it is offered. */
export function chooseModel(models: Models, asked: string, session: Session | null): ReturnType<Models["resolve"]> {
  const preferred = session?.model_preference;
  if (asked !== "auto" || !preferred || preferred === "auto") return models.resolve(asked);
  try {
    return { model: models.resolve(preferred).model, why: "auto: the session's preference" };
  } catch (error) {
    if (!(error instanceof WaypostError)) throw error;
    const { model, why } = models.resolve("auto");
    return { model, why: `${why}; the session's preference, ${preferred}, is not offered` };
  }
}

/** Output tokens to ask for: what was wanted, within what the model can write and half of its window. */
export const outputTokens = (wanted: number | undefined, info: ModelInfo): number =>
  Math.min(wanted ?? DEFAULT_OUTPUT, info.maxOutputTokens, Math.floor(info.contextTokens / 2));

/** Passages for a question, best first; empty when grounding was not asked for and the model can do without. */
export async function retrieve(call: Call, input: ChatRequest, info: ModelInfo): Promise<SearchHit[]> {
  const { grounding } = input;
  if (!grounding && !info.needsPassages) return [];
  const { limit = DEFAULT_PASSAGES, document_ids } = typeof grounding === "object" ? grounding : {};
  const query = (newMessages(input).at(-1)?.content ?? "").slice(0, MAX_QUERY_CHARS);
  if (!query.trim()) return [];
  const found = unwrap(
    await call.vault.search({ query, limit, kinds: ["document"], ...(document_ids ? { document_ids } : {}) }),
  );
  return found.hits;
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
  const notes = session ? sessionMessage(session.context) : undefined;
  const fixed = [...(notes ? [notes] : []), ...newMessages(input)];
  const fits = (likely: number, share: number): boolean => likely <= window * share;
  const needed = estimatePrompt(fixed);
  if (!fits(needed, 1)) {
    throw new WaypostError(
      "context_too_long",
      `About ${needed} tokens were sent; ${info.id} takes ${window} beside an answer of ${maxOutputTokens}.`,
    );
  }
  let hits = found;
  let size = estimatePrompt(groundedMessages(fixed, toPassages(hits)));
  while (hits.length > 0 && !fits(size, FILL)) {
    hits = hits.slice(0, -1);
    size = estimatePrompt(groundedMessages(fixed, toPassages(hits)));
  }
  const history = session ? usable(session, call.attempt) : [];
  let from = history.length;
  for (const message of history.toReversed()) {
    size += estimatePrompt([message]);
    if (!fits(size, FILL)) break;
    from--;
  }
  const kept = history.slice(from);
  // A conversation opens with the user: some providers refuse one that does not.
  const opening = kept.findIndex(({ role }) => role === "user");
  const messages = [...(notes ? [notes] : []), ...(opening < 0 ? [] : kept.slice(opening)), ...newMessages(input)];
  return { messages, passages: toPassages(hits), hits, maxOutputTokens };
}

/** Earlier messages a model can read; a repeated attempt leaves out what its first run stored. */
function usable(session: Session, attempt: string): ChatMessage[] {
  return session.messages.flatMap(({ id, role, content }) =>
    role === "tool" || !content || id.startsWith(`${attempt}-`) ? [] : [{ role, content }],
  );
}

const toPassages = (hits: SearchHit[]): Passage[] =>
  hits.map(({ id, title, heading, url, text }, i) => ({
    n: i + 1,
    id,
    title: heading && heading !== title ? `${title}: ${heading}` : title,
    url,
    text,
  }));
