import { WaypostError } from "../../errors.ts";
import { limited } from "../../time_limit.ts";
import { pieces } from "./pieces.ts";
import type { Exhibit, Moderator, Verdict } from "./types.ts";

/** Texts in one request. */
const BATCH = 16;
const PATIENCE_MS = 10_000;
const MAX_ANSWER_CHARS = 1_000_000;

export interface OpenAISettings {
  baseUrl: string;
  apiKey: string | undefined;
  model: string;
}

/** OpenAI's moderation endpoint, or one like it. It costs nothing there. */
export function openAIModerator({ baseUrl, apiKey, model }: OpenAISettings): Moderator {
  const headers = { "Content-Type": "application/json", ...(apiKey ? { Authorization: `Bearer ${apiKey}` } : {}) };
  const ask = (input: string[], given: AbortSignal) => limited(PATIENCE_MS, given, (signal) => asked(input, signal));
  const asked = async (input: string[], signal: AbortSignal): Promise<Verdict[]> => {
    const response = await fetch(`${baseUrl}/moderations`, {
      method: "POST",
      headers,
      body: JSON.stringify({ model, input }),
      // A redirect would carry the key and the text to a host nobody configured.
      redirect: "manual",
      signal,
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`status ${response.status}`);
    return readVerdicts(text, input.length);
  };
  return {
    id: `openai/${model}`,
    judge: ({ text }: Exhibit, signal) =>
      available(`openai/${model}`, signal, async () => {
        const all = pieces(text);
        const verdicts: Verdict[] = [];
        for (let i = 0; i < all.length; i += BATCH) verdicts.push(...(await ask(all.slice(i, i + BATCH), signal)));
        return together(verdicts);
      }),
  };
}

/** @throws Error when the answer is not one verdict a text */
export function readVerdicts(text: string, count: number): Verdict[] {
  if (text.length > MAX_ANSWER_CHARS) throw new Error("too long an answer");
  const { results } = JSON.parse(text) as { results?: unknown };
  if (!Array.isArray(results) || results.length !== count) throw new Error("not a verdict a text");
  return results.map((result: { flagged?: unknown; categories?: unknown }) => {
    const { flagged, categories } = result ?? {};
    if (typeof flagged !== "boolean") throw new Error("a verdict that says nothing");
    const named = Object.entries((categories ?? {}) as Record<string, unknown>);
    return { flagged, categories: flagged ? named.filter(([, held]) => held === true).map(([name]) => name) : [] };
  });
}

export function together(verdicts: readonly Verdict[]): Verdict {
  const categories = [...new Set(verdicts.flatMap((verdict) => verdict.categories))].sort();
  return { flagged: verdicts.some(({ flagged }) => flagged), categories };
}

/** A moderator's failure as the catalogue has it; what it wrote is not passed on. */
export async function available<T>(id: string, signal: AbortSignal, judge: () => Promise<T>): Promise<T> {
  try {
    return await judge();
  } catch {
    // A call that was cancelled or is out of time says so itself.
    if (signal.aborted) throw new WaypostError("client_closed", "The call was cancelled.");
    throw new WaypostError("moderation_unavailable", `${id} gave no verdict.`);
  }
}
