import type { Env } from "../src/env.ts";
import type { WaypostError } from "../src/errors.ts";
import { createModels } from "../src/models/catalogue.ts";
import type { ChatMessage, ModelEvent, ModelRequest } from "../src/models/types.ts";

/** What nothing of a provider's words may get through. */
export const LEAK = /secret|sk-|127\.0\.0\.1|http/;

export const question: ChatMessage[] = [{ role: "user", content: "one two three four five six" }];

export function request(more: Partial<ModelRequest> = {}): ModelRequest {
  const { signal } = new AbortController();
  return { messages: question, passages: [], maxOutputTokens: 100, streamed: true, signal, ...more };
}

/** Asks a model once: its events, its text, and what it failed with. */
export async function ask(settings: Env, name: string, more: Partial<ModelRequest> = {}) {
  const events: ModelEvent[] = [];
  let error: WaypostError | undefined;
  try {
    for await (const event of createModels(settings).resolve(name).model.stream(request(more))) events.push(event);
  } catch (thrown) {
    error = thrown as WaypostError;
  }
  const text = events.map((event) => (event.type === "delta" ? event.text : "")).join("");
  return { events, text, error };
}

/** What the stand-in served under a key, newest last. */
export async function servedUnder(upstreamUrl: string, model: string, key: string) {
  const log = (await (await fetch(`${upstreamUrl}/log`)).json()) as {
    model: string;
    usage: object | null;
    pieces: number;
    authorization: string | null;
    body: Record<string, unknown>;
  }[];
  return log.filter((entry) => entry.model === model && entry.authorization === key);
}

/** MODEL_PRICES for a model of the stand-in's, which is in no price book. */
export const freeOfPrice = (id: string): string => JSON.stringify({ [id]: { input: "0", output: "0" } });
