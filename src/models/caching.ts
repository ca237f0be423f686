import type { TokenUsage } from "../ledger/money.ts";
import type { ChatModel, ModelEvent, ModelRequest } from "./types.ts";

/** An answer as it is kept. */
export interface KeptText {
  text: string;
  usage: TokenUsage;
  estimated: boolean;
}

export interface AnswerCache {
  /** Null also when it could not be asked: the model is then. */
  find(key: string): Promise<KeptText | null>;
  keep(key: string, answer: KeptText): Promise<void>;
  /** Part of an answer's tokens that a hit is billed, in basis points. */
  hitBps: number;
  /** Told when an answer came from the cache. */
  hit(): void;
}

/** The model, asked only when the same was not answered before. Answers that were cut are not kept. */
export const caching = (model: ChatModel, cache: AnswerCache): ChatModel => ({
  info: model.info,
  stream: (request) => cached(model, request, cache),
});

async function* cached(model: ChatModel, request: ModelRequest, cache: AnswerCache): AsyncGenerator<ModelEvent> {
  const key = await keyOf(model.info.id, request);
  const found = await cache.find(key);
  if (found) {
    cache.hit();
    yield { type: "delta", text: found.text };
    yield { type: "finish", reason: "stop", usage: part(found.usage, cache.hitBps), estimated: found.estimated };
    return;
  }
  let text = "";
  for await (const event of model.stream(request)) {
    if (event.type === "delta") text += event.text;
    else if (event.reason === "stop" && text) {
      await cache.keep(key, { text, usage: event.usage, estimated: event.estimated });
    }
    yield event;
  }
}

/** Everything that goes to the model, in a fixed order. */
async function keyOf(model: string, { messages, maxOutputTokens, temperature }: ModelRequest): Promise<string> {
  const said = messages.map(({ role, content }) => [role, content]);
  const bytes = new TextEncoder().encode(JSON.stringify([model, maxOutputTokens, temperature ?? null, said]));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** That part of each class's tokens, rounded up. */
const part = (usage: TokenUsage, bps: number): TokenUsage =>
  Object.fromEntries(
    Object.entries(usage).map(([kind, count]) => [kind, Math.ceil((count * bps) / 10_000)]),
  ) as unknown as TokenUsage;
