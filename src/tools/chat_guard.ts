import { lazily } from "../lazily.ts";
import { caching } from "../models/caching.ts";
import { REDACTION_NOTE } from "../models/prompt.ts";
import type { Restorer } from "../models/redaction/restorer.ts";
import { restoring } from "../models/redaction/restoring.ts";
import { KINDS } from "../models/redaction/types.ts";
import type { ChatModel } from "../models/types.ts";
import { answersOf, CACHED_MS } from "./chat_cache.ts";
import type { GuardInput } from "./chat_guard_schema.ts";
import { moderatedInput, moderatedOutput, sidesOf } from "./chat_moderation.ts";
import type { Prompt } from "./chat_prompt.ts";
import type { Call } from "./define.ts";

const loadRedactor = lazily(() => import("../models/redaction/redactor.ts"));

/** What of a chat's input decides about its guards. */
export interface Guarded extends GuardInput {
  session_id?: string | undefined;
  temperature?: number | undefined;
}

/** A chat's models and prompts with everything in between that was asked for. */
export interface Guard {
  /** To be asked in place of those that were given, in the same order. */
  prompts: Map<ChatModel, Prompt>;
  /** The answer came from the cache. Known when it was given. */
  readonly cached: boolean;
}

/**
 * Puts the guards that a call asks for around its models; without any, it hands back what it was given. From the caller
 * to the provider: private values are put back, the answer is judged, the cache is asked, the provider is.
 * So neither moderator, cache nor provider sees a private value.
 *
 * @param asked how many of a prompt's last messages came with this call: those are judged
 * @throws WaypostError `content_flagged`, `moderation_unavailable`, `not_configured`
 */
export async function guarded(
  call: Call,
  input: Guarded,
  prompts: Map<ChatModel, Prompt>,
  asked: number,
): Promise<Guard> {
  const sides = sidesOf(call, input.moderate);
  const caches = input.cache !== undefined && input.cache !== false;
  if (!caches && !redacts(input) && sides.size === 0) return { prompts, cached: false };

  const guard = { prompts: new Map<ChatModel, Prompt>(), cached: false };
  let judged = false;
  for (const [model, prompt] of prompts) {
    const { prompt: prepared, restorer } = await prepare(input, prompt);
    if (sides.has("input") && !judged)
      await moderatedInput(call, input.moderate, prepared.messages.slice(-asked), model);
    judged = true;
    let chain = model;
    if (caches && mayCache(input, model, prepared)) {
      chain = caching(
        chain,
        answersOf(call, CACHED_MS, () => (guard.cached = true)),
      );
    }
    if (sides.has("output")) chain = moderatedOutput(call, input.moderate, prepared, chain);
    if (restorer) chain = restoring(chain, restorer);
    guard.prompts.set(chain, prepared);
  }
  return guard;
}

/** The prompt will change, and may grow: what it can cost is known only then. */
export const redacts = ({ redact, redact_terms }: GuardInput): boolean => Boolean(redact) || redact_terms !== undefined;

/** The prompt without what is to be kept from the provider, and what puts it back; the prompt itself when that is nothing. */
export async function prepare(
  { redact: wanted, redact_terms: terms = [] }: GuardInput,
  prompt: Prompt,
): Promise<{ prompt: Prompt; restorer?: () => Restorer }> {
  const kinds = wanted === true ? KINDS : wanted || [];
  if (kinds.length === 0 && terms.length === 0) return { prompt };
  const { redact } = await loadRedactor();
  const { messages, passages } = prompt;
  const texts = [...messages.map(({ content }) => content), ...passages.flatMap(({ title, text }) => [title, text])];
  const redacted = redact(texts, { kinds, terms });
  if (redacted.count === 0) return { prompt };
  const at = (i: number): string => redacted.texts[i] as string;
  return {
    prompt: {
      ...prompt,
      messages: [
        { role: "system", content: REDACTION_NOTE },
        ...messages.map((message, i) => ({ ...message, content: at(i) })),
      ],
      passages: passages.map((passage, i) => ({
        ...passage,
        title: at(messages.length + 2 * i),
        text: at(messages.length + 2 * i + 1),
      })),
    },
    restorer: redacted.restorer,
  };
}

/** Only what has nothing but the prompt to answer from, and what should come out the same again. */
const mayCache = (input: Guarded, { info }: ChatModel, { passages, grounded }: Prompt): boolean =>
  input.session_id === undefined &&
  passages.length === 0 &&
  !grounded &&
  !info.needsPassages &&
  (!input.temperature || input.cache === "sampled");
